"""``evonas data``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from evonas.cli.options import with_settings

OPTIONS = ("resolution", "layout", "image_column", "label_column", "group", "fold", "fit", "flip", "lazy")


def _data(
    path: Annotated[
        str, typer.Argument(help="digits, an .npz or .parquet file, a folder of parts or of images, a hub name.")
    ],
    given: dict[str, Any],
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for inventory.json and pictures of the data.", rich_help_panel="Output"),
    ] = None,
    augment: Annotated[
        str | None,
        typer.Option(
            metavar="RECIPE",
            help="Draw what training by this recipe sees into augment.png, in the folder of --out or here.",
            rich_help_panel="Output",
        ),
    ] = None,
) -> None:
    """Show data before a search: parts, classes, sizes, what is left out, and what to be warned of."""
    from evonas.data.names import check_data

    check_data(path)
    from evonas.data.inventory import inventory_lines
    from evonas.data.overview import overview_of, write_overview
    from evonas.data.read_options import ReadOptions

    recipe = None
    if augment is not None:
        from evonas.training.recipe import load_recipe

        recipe = load_recipe(augment)  # a wrong name ends here
    resolution, options = given.pop("resolution", None), ReadOptions(**given)
    overview = overview_of(path, options, resolution)
    for line in inventory_lines(overview.inventory, whole=True):
        typer.echo(line)
    for one in overview.inventory.skipped:
        typer.echo(f"  unreadable: {one.name} ({one.reason})")
    if out is not None:
        typer.echo(f"Wrote {len(write_overview(overview, out))} files to {out}")
    if recipe is not None:
        from evonas.data.overview import write_augmented
        from evonas.files.size import make_size
        from evonas.training.augmentation import recipe_augmentation

        file = (out or Path()) / "augment.png"
        size = make_size(*overview.images.shape[2:])
        write_augmented(overview, recipe_augmentation(recipe, size, overview.usual_augment(options)), file)
        typer.echo(f"Wrote {file}: in each row an image, then what training by '{recipe.name}' sees of it")


data = with_settings(_data, OPTIONS)
data.__name__ = "data"
