"""The bases that can be had, one file each: its entry in the catalogue, and how its folder is made of the packages."""
