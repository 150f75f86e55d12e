"""What random gold lets one promise about the items that are not gold."""
