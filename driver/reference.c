/*
 * reference.c - the reference allocator, and its copy in a folder.
 *
 * FOLDER/KEY/ holds the built runner and, in `records`, what its check pass
 * found: all that the timed pass needs of it. KEY digests everything that these
 * follow from. A copy appears whole or not at all.
 */
#define _GNU_SOURCE
#include "reference.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "build_source.h"
#include "wire.h"

#define RUNNER_LIMIT ((size_t)64 << 20)
#define MAGIC "mdriver reference 1"

/* The head of `records`; then for each trace a struct kept and its answers' offsets. */
struct head {
    char magic[24], name[64], sha256[65];
    uint64_t static_bytes, writable_bytes, traces, runner_bytes;
    int32_t bits, has_gc;
};

struct kept {
    uint64_t verdict, peak_break, reserved, answered, probes;
    struct probe probe[PROBES];
};

/* ---- the key ---- */

static void digest_trace(SHA2_CTX *sum, const struct trace *t)
{
    struct wire_request part[256];

    for (size_t i = 0; i < t->count;) {
        size_t n = 0;
        memset(part, 0, sizeof part);
        for (; n < 256 && i < t->count; n++, i++)
            part[n] = (struct wire_request){ t->requests[i].size, t->requests[i].ref, t->requests[i].kind };
        SHA256Update(sum, (const uint8_t *)part, sizeof part);
    }
}

/* What the copy follows from, in hexadecimal. 0, or -1 when that cannot be read. */
static int make_key(char key[33], const struct reference_request *q)
{
    struct source source;
    char why[64];
    size_t size = 0;
    unsigned char *self = read_whole("/proc/self/exe", RUNNER_LIMIT, &size), digest[SHA256_DIGEST_LENGTH];
    SHA2_CTX sum;
    int rc = source_read(&source, q->name, why, sizeof why);

    if (rc == 0 && self) {
        const uint64_t facts[] = { (uint64_t)q->bits, q->pass->alignment, q->pass->heap_limit, q->pass->wire_flags,
                                   q->pass->outside_cap, (uint64_t)q->pass->charge_outside,
                                   (uint64_t)q->pass->accepts.malloc_zero_null,
                                   (uint64_t)q->pass->accepts.realloc_zero_null, q->pass->stack_limit,
                                   q->traces->count };
        SHA256Init(&sum);
        SHA256Update(&sum, self, size);
        SHA256Update(&sum, source.bytes, source.size);
        for (size_t i = 0; i < q->course->flag_count; i++)
            SHA256Update(&sum, (const uint8_t *)q->course->flags[i], strlen(q->course->flags[i]) + 1);
        SHA256Update(&sum, (const uint8_t *)facts, sizeof facts);
        for (size_t i = 0; i < q->traces->count; i++)
            digest_trace(&sum, &q->traces->traces[i]);
        SHA256Final(digest, &sum);
        for (size_t i = 0; i < 16; i++)
            snprintf(key + 2 * i, 3, "%02x", digest[i]);
    }
    free(source.bytes);
    free(self);
    return rc == 0 && self ? 0 : -1;
}

/* ---- reading a copy ---- */

static int read_record(FILE *f, struct record *r, const struct trace *t)
{
    struct kept k;
    uint64_t offset;

    if (fread(&k, sizeof k, 1, f) != 1 || k.answered > t->count || k.verdict >= VERDICT_COUNT || k.probes > PROBES)
        return -1;
    r->verdict = (enum verdict)k.verdict;
    r->peak_break = k.peak_break;
    r->reserved = k.reserved;
    r->probes = (size_t)k.probes;
    memcpy(r->probe, k.probe, sizeof r->probe);
    r->answered = (size_t)k.answered;
    r->answers = calloc(t->count + 1, sizeof *r->answers);
    for (size_t i = 0; r->answers && i < r->answered; i++) {
        if (fread(&offset, sizeof offset, 1, f) != 1)
            return -1;
        r->answers[i].offset = offset;
    }
    return r->answers ? 0 : -1;
}

static int read_copy(struct reference *ref, const struct reference_request *q, const char *folder)
{
    char path[PATH_MAX];
    struct head h;

    snprintf(path, sizeof path, "%s/records", folder);
    FILE *f = fopen(path, "re");
    int rc = f && fread(&h, sizeof h, 1, f) == 1 && memcmp(h.magic, MAGIC, sizeof MAGIC) == 0
           && h.traces == q->traces->count ? 0 : -1;
    for (size_t i = 0; rc == 0 && i < q->traces->count; i++)
        rc = read_record(f, &ref->records[i], &q->traces->traces[i]);
    if (f)
        fclose(f);
    if (rc)
        return -1;
    snprintf(path, sizeof path, "%s/runner", folder);
    ref->image = (struct runner_image){ .bits = h.bits, .has_gc = h.has_gc, .shipped = 1,
        .static_bytes = h.static_bytes, .writable_bytes = h.writable_bytes, .path = strdup(q->name),
        .exec_path = strdup(path), .exec_fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) };
    snprintf(ref->image.name, sizeof ref->image.name, "%.63s", h.name);
    snprintf(ref->image.sha256, sizeof ref->image.sha256, "%.64s", h.sha256);
    struct stat st;
    return ref->image.exec_fd >= 0 && ref->image.exec_path && fstat(ref->image.exec_fd, &st) == 0
           && (uint64_t)st.st_size == h.runner_bytes ? 0 : -1;
}

/* ---- leaving a copy ---- */

static int write_records(const char *path, const struct reference *ref, const struct trace_set *traces)
{
    struct head h = { .magic = MAGIC, .static_bytes = ref->image.static_bytes,
                      .writable_bytes = ref->image.writable_bytes, .traces = traces->count,
                      .bits = ref->image.bits, .has_gc = ref->image.has_gc };
    struct stat st;
    FILE *f = fstat(ref->image.exec_fd, &st) ? NULL : fopen(path, "wxe");

    if (!f)
        return -1;
    h.runner_bytes = (uint64_t)st.st_size;
    memcpy(h.name, ref->image.name, sizeof h.name);
    memcpy(h.sha256, ref->image.sha256, sizeof h.sha256);
    fwrite(&h, sizeof h, 1, f);
    for (size_t i = 0; i < traces->count; i++) {
        const struct record *r = &ref->records[i];
        struct kept k = { (uint64_t)r->verdict, r->peak_break, r->reserved, r->answers ? r->answered : 0, r->probes,
                          { { 0 } } };
        memcpy(k.probe, r->probe, sizeof k.probe);
        fwrite(&k, sizeof k, 1, f);
        for (size_t n = 0; n < k.answered; n++)
            fwrite(&r->answers[n].offset, sizeof r->answers[n].offset, 1, f);
    }
    int bad = ferror(f);
    return fclose(f) || bad ? -1 : 0;
}

static int write_runner(const char *path, const char *from)
{
    size_t size = 0;
    unsigned char *bytes = read_whole(from, RUNNER_LIMIT, &size);
    int fd = bytes ? open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755) : -1;
    int rc = fd >= 0 && write(fd, bytes, size) == (ssize_t)size && fchmod(fd, 0755) == 0 ? 0 : -1;

    if (fd >= 0 && close(fd))
        rc = -1;
    free(bytes);
    return rc;
}

/* Best effort. */
static void write_copy(const struct reference *ref, const struct reference_request *q, const char *folder)
{
    char fresh[PATH_MAX], path[PATH_MAX + 16];
    struct stat st;

    snprintf(fresh, sizeof fresh, "%s/new-XXXXXX", q->folder);
    for (size_t i = 0; i < q->traces->count; i++)
        if (verdict_class(ref->records[i].verdict) == CLASS_GRADER)
            return; /* next time it may go well */
    mkdir(q->folder, 0755);
    if (stat(folder, &st) == 0 || !mkdtemp(fresh))
        return;
    chmod(fresh, 0755);
    snprintf(path, sizeof path, "%s/records", fresh);
    int rc = write_records(path, ref, q->traces);
    snprintf(path, sizeof path, "%s/runner", fresh);
    if (rc == 0 && write_runner(path, ref->image.exec_path) == 0 && rename(fresh, folder) == 0)
        return;
    unlink(path);
    snprintf(path, sizeof path, "%s/records", fresh);
    unlink(path);
    rmdir(fresh);
}

/* ---- building ---- */

static int build(struct reference *ref, const struct reference_request *q, char *error, size_t error_size)
{
    const struct build_request request = { .source = q->name, .course = q->course, .bits = q->bits };
    struct build facts;
    char why[512];
    enum build_status status = build_runner(&request, &ref->image, &facts, why, sizeof why);

    if (status == BUILD_OK)
        return 0;
    snprintf(error, error_size, "the reference allocator '%s' cannot be built: %s", q->name, why);
    return status == BUILD_BAD_INPUT ? 2 : 5;
}

static void forget_records(struct reference *ref, size_t traces)
{
    for (size_t i = 0; ref->records && i < traces; i++)
        record_free(&ref->records[i]);
    free(ref->records);
    ref->records = calloc(traces + 1, sizeof *ref->records);
}

int reference_open(struct reference *ref, const struct reference_request *q, char *error, size_t error_size)
{
    char folder[PATH_MAX] = "", key[33];

    ref->ready = -1;
    forget_records(ref, q->traces->count);
    if (q->folder && make_key(key, q) == 0)
        snprintf(folder, sizeof folder, "%.4000s/%s", q->folder, key);
    int found = ref->records && folder[0] && read_copy(ref, q, folder) == 0;
    if (!found) {
        image_free(&ref->image);
        forget_records(ref, q->traces->count);
        if (!ref->records) {
            snprintf(error, error_size, "out of memory");
            return 5;
        }
        int rc = build(ref, q, error, error_size);
        if (rc)
            return rc;
        for (size_t i = 0; folder[0] && i < q->traces->count; i++)
            check_trace(&ref->image, &q->traces->traces[i], q->pass, &ref->records[i]);
        if (folder[0])
            write_copy(ref, q, folder);
    }
    ref->ready = 1;
    return 0;
}

void reference_close(struct reference *ref, size_t traces)
{
    forget_records(ref, traces);
    free(ref->records);
    if (ref->ready)
        image_free(&ref->image);
    *ref = (struct reference){ 0 };
}
