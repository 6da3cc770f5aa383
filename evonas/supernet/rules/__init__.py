"""Update rules of weight sharing: the contract, the registry, one file a rule."""
