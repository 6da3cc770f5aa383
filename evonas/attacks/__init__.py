"""Attacks: small changes of images, sought so that a classifier errs.

`Attack` says what is tried, `read_attack` reads it from a text such as ``pgd@4/255x10``. FGSM and PGD are the
package's own; APGD, Square and AutoAttack are the adversarial-robustness-toolbox's, the extra ``robust``. A model that
is attacked takes images in [0, 1], its normalization inside, and is in evaluation mode.
"""
