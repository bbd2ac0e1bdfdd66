"""The rendered chart at work on this machine: what it makes is started as it stands there, asked, hung and rolled."""
