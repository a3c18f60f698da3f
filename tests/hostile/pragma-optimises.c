// expect: ok
/* Optimises itself more than the course does; open by choice, and no gain in memory. */
#pragma GCC optimize("O3")
#pragma GCC push_options
