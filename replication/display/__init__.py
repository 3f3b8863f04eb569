"""How numbers and pictures look, whatever they show: frames in, text and axes out."""
