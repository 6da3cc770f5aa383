"""Trust in a deployed classifier: whether its confidence means what it says, and what its answers withstand.

`trust_content` makes what ``card.json`` holds under ``trust``; `trust_markdown` words it for the card, and the report
draws its reliability diagram.
"""
