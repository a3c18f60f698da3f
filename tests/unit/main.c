/* Runs every suite: suites.h is made from the names of the files here. */
#include <stdlib.h>
#include "suites.h"

int main(void)
{
    Suite *(*const suites[])(void) = { SUITES };
    SRunner *runner = srunner_create(NULL);

    for (size_t i = 0; i < sizeof suites / sizeof *suites; i++)
        srunner_add_suite(runner, suites[i]());
    srunner_run_all(runner, CK_ENV);
    int run = srunner_ntests_run(runner), failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed || !run;
}
