// expect: ok
/* Instructions of a newer processor; open by choice. */
#pragma GCC target("sse4.2")
