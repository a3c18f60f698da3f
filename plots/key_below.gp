# The key in one line below the axis, never on it.
set bmargin 6
set key at screen 0.5,19.0/HEIGHT center horizontal maxrows 1 samplen 2 width -2 Left reverse
