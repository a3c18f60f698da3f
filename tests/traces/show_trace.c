/* What the parser makes of trace files, as one JSON object a line. File names must not need escaping. */
#include <stdio.h>

#include "trace.h"

int main(int count, char **paths)
{
    for (int i = 1; i < count; i++) {
        struct trace t;
        char error[512] = "";
        int status = trace_load(&t, paths[i], error, sizeof error);
        printf("{\"error\": %d, \"warnings\": %d, \"requests\": %zu, \"peak\": %llu, \"aligned\": %llu, \"headers\": %llu, "
               "\"live\": %zu, \"weight\": %d, \"dialect\": %d, \"shift\": %u}\n", status != 0, t.warnings != NULL,
               t.count, (unsigned long long)t.peak_payload, (unsigned long long)trace_peak_aligned(&t, 16),
               (unsigned long long)trace_peak_headers(&t, 8, 16, 32), t.max_live, (int)t.weight, (int)t.dialect,
               t.scale_shift);
        if (status)
            fprintf(stderr, "%s\n", error);
        trace_free(&t);
    }
    return 0;
}
