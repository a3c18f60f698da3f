/* check_words.c - verdicts of the check pass in sentences. */
#define _GNU_SOURCE
#include "check_state.h"

#include <seccomp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "confine.h"

#define STACK_SLACK 65536u /* bytes: of the stack above main's frame, and of a frame */

/* ---- verdicts ---- */

int fail_at(struct check *c, size_t index, enum verdict v, const char *format, ...)
{
    struct record *r = c->record;
    va_list args;

    r->verdict = v;
    if (index < c->trace->count) {
        r->request = index + 1;
        r->line = c->trace->requests[index].line;
    }
    va_start(args, format);
    vsnprintf(r->message, sizeof r->message, format, args);
    va_end(args);
    return 0;
}

/* "request 12 (line 16: r 3 100)"; two calls may stand in one message. */
const char *request_text(const struct check *c, size_t index)
{
    static char text[4][96];
    static unsigned turn;
    char *out = text[turn++ % 4];

    if (index >= c->trace->count) {
        snprintf(out, sizeof *text, index == BEFORE_TRACE ? "the start, before the first request"
                                                          : "the end of the trace");
        return out;
    }
    const struct request *q = &c->trace->requests[index];
    if (q->kind == REQ_FREE)
        snprintf(out, sizeof *text, "request %zu (line %u: f %d%s)", index + 1, q->line, q->id,
                 q->ref == REF_NULL ? ", free(NULL)" : "");
    else
        snprintf(out, sizeof *text, "request %zu (line %u: %c %d %llu)", index + 1, q->line, "acr"[q->kind],
                 q->id, (unsigned long long)q->size);
    return out;
}

const char *block_text(const struct check *c, uint32_t number)
{
    static char text[4][160];
    static unsigned turn;
    char *out = text[turn++ % 4];
    const struct extent *e = &c->extent[number];

    snprintf(out, sizeof *text, "block %d (%llu bytes at heap offset 0x%llx, from request %u)",
             c->trace->requests[number].id, (unsigned long long)e->size, (unsigned long long)e->offset,
             number + 1);
    return out;
}

int damaged(struct check *c, size_t index, uint32_t number, uint64_t byte)
{
    c->victim = number;
    c->record->address = c->extent[number].offset + byte;
    return fail_at(c, index, VERDICT_DAMAGED, "byte %llu of %s was changed while the block was live; seen at %s",
                   (unsigned long long)byte, block_text(c, number), request_text(c, index));
}

/* ---- the runner's death ---- */

static const char *syscall_name(uint64_t number, int bits)
{
    static char text[64];
    char *name = seccomp_syscall_resolve_num_arch(bits == 32 ? SCMP_ARCH_X86 : SCMP_ARCH_X86_64, (int)number);

    snprintf(text, sizeof text, "%s", name ? name : "an unknown one");
    free(name);
    return text;
}

/* What an address says about the pointer that it was reached through: many a wrong one is NULL and a header's size. */
static const char *near_null(uint64_t address, int bits)
{
    static char text[64];
    uint64_t before = (bits == 32 ? UINT64_C(1) << 32 : 0) - address;

    if (address == 0)
        return " (a NULL pointer)";
    if (address >= 4096 && before > 4096)
        return "";
    snprintf(text, sizeof text, " (%llu bytes %s a NULL pointer)", (unsigned long long)(address < 4096 ? address : before),
             address < 4096 ? "after" : "before");
    return text;
}

/* Whether the stack is used up, and that is what was touched. */
static int is_stack_overflow(const struct check *c, uint64_t address, uint64_t limit)
{
    const struct mailbox *box = &c->said;
    uint64_t gap = address > box->stack_pointer ? address - box->stack_pointer : box->stack_pointer - address;

    return gap < STACK_SLACK && box->stack_used + STACK_SLACK >= limit;
}

/* A segmentation fault, a bus error: what was wrong with the address. */
static int bad_address(struct check *c, size_t index, int signo, uint64_t address)
{
    const struct mailbox *box = &c->said;
    uint64_t stack = c->options->stack_limit ? c->options->stack_limit : CONFINE_STACK;
    const char *where = request_text(c, index), *what = strsignal(signo), *near = near_null(address, c->image->bits);

    if (signo == SIGSEGV && is_stack_overflow(c, address, stack)) {
        snprintf(c->record->hint, sizeof c->record->hint, "recursion once for each block can be a loop instead, and a large "
                 "array belongs into the heap");
        return fail_at(c, index, VERDICT_CRASH, "the stack overflowed (endless recursion, or a large local array; "
                       "the stack has %llu KiB) at %s", (unsigned long long)stack >> 10, where);
    }
    if (signo == SIGSEGV && box->code == SI_KERNEL) /* the processor does not tell which address */
        return fail_at(c, index, VERDICT_CRASH, "%s through a pointer that holds no possible address (often payload bytes "
                       "taken for a pointer; it is not NULL) at %s", what, where);
    if (address == box->fault_pc) {
        c->record->fault_pc = 0; /* no place in the source; the caller is one */
        return fail_at(c, index, VERDICT_CRASH, "%s calling a function at address 0x%llx%s, where there is none, at %s",
                       what, (unsigned long long)address, near, where);
    }
    return fail_at(c, index, VERDICT_CRASH, "%s touching address 0x%llx%s at %s", what, (unsigned long long)address, near,
                   where);
}

static int died_by_signal(struct check *c, size_t index, int signo)
{
    const struct mailbox *box = &c->said;
    int told = box->event == EVENT_SIGNAL && box->signo == signo;
    uint64_t address = told ? box->fault_address : 0, heap = heap_base_of(c->image->bits);
    const char *where = request_text(c, index);

    c->record->fault_pc = told ? box->fault_pc : 0;
    c->record->fault_caller = told ? box->fault_caller : 0;
    switch (signo) {
    case SIGSYS:
        if (told)
            return fail_at(c, index, VERDICT_FORBIDDEN, "the allocator made the system call %s, which is not allowed, at %s",
                           syscall_name(address, c->image->bits), where);
        return fail_at(c, index, VERDICT_FORBIDDEN, "a forbidden system call ended the process at %s", where);
    case SIGABRT:
        return fail_at(c, index, VERDICT_ABORT, "the allocator called abort at %s", where);
    case SIGXCPU:
    case SIGKILL:
        return fail_at(c, index, VERDICT_TIMEOUT, "the CPU time limit was reached at %s", where);
    case SIGXFSZ:
        return fail_at(c, index, VERDICT_FORBIDDEN, "a file grew past its limit at %s", where);
    default:
        break;
    }
    if (told && address >= heap + c->brk && address < heap + c->process.heap_limit) {
        c->record->address = address - heap;
        uint64_t brk = box->want > c->brk && box->want <= address - heap ? box->want : c->brk; /* moved in this request */
        return fail_at(c, index, VERDICT_PAST_BREAK,
                       "touched address 0x%llx, %llu bytes past the break (heap size %llu), at %s",
                       (unsigned long long)address, (unsigned long long)(address - heap - brk), (unsigned long long)brk,
                       where);
    }
    if (told && (signo == SIGSEGV || signo == SIGBUS))
        return bad_address(c, index, signo, address);
    return fail_at(c, index, VERDICT_CRASH, "%s at %s", strsignal(signo), where);
}

int died(struct check *c, size_t index)
{
    int status = c->process.status;

    if (WIFSIGNALED(status))
        return died_by_signal(c, index, WTERMSIG(status));
    return fail_at(c, index, VERDICT_EXITED, "the allocator's process ended by itself (exit status %d) at %s",
                   WEXITSTATUS(status), request_text(c, index));
}

/* How long a batch of requests may take by itself. Slow allocators go on answering and have the whole limit; one that
 * answers nothing for so long is in a circle. mm_checkheap after each request may be slow as well. */
double patience(const struct check *c)
{
    double limit = c->options->time_limit, quarter = limit / 4 > 0.5 ? limit / 4 : 0.5;

    return c->options->wire_flags & WIRE_CHECK_EACH || quarter > limit ? limit : quarter;
}

int late(struct check *c, size_t index)
{
    c->record->fault_pc = process_stop_at(&c->process);
    if (c->process.gorged)
        return fail_at(c, index, VERDICT_HEAP_LIMIT, "more than %llu bytes of the heap were written or read; blocks of a giant "
                       "trace are never used by their owner, so clearing or copying one whole is all that could, at %s",
                       (unsigned long long)SPARSE_TOUCHED, request_text(c, index));
    if (monotonic_seconds() < c->deadline)
        return fail_at(c, index, VERDICT_TIMEOUT, "no answer for %g seconds at %s", patience(c), request_text(c, index));
    return fail_at(c, index, VERDICT_TIMEOUT, "no answer within %g seconds; it was at %s", c->options->time_limit,
                   request_text(c, index));
}

/* What a student would try next; who knows the command line adds it (grade.c). */
void add_hint(const struct check *c)
{
    struct record *r = c->record;
    int each = (c->options->wire_flags & WIRE_CHECK_EACH) != 0, own = c->image->has_checkheap;
    const char *text = "";

    switch (r->verdict) {
    case VERDICT_OK: case VERDICT_GRADER: case VERDICT_SKIPPED:
        return;
    case VERDICT_DAMAGED: case VERDICT_OVERLAP: case VERDICT_PAST_BREAK: case VERDICT_CRASH: case VERDICT_LOST:
        text = !own ? "a checker of your own, mm_checkheap (see mm.h), with -D stops at the first broken invariant"
             : each ? "mm_checkheap saw nothing wrong before that; let it look at what broke here"
                    : "-D runs mm_checkheap after every request and stops at the first broken invariant";
        break;
    case VERDICT_TIMEOUT:
        text = r->output_cut ? "it printed very much, which takes time; print less"
             : !own ? "an endless loop, often a free list that became a circle; mm_checkheap (see mm.h) with -D could see it made"
             : each ? "an endless loop, often a free list that became a circle; mm_checkheap saw nothing wrong before it"
                    : "an endless loop, often a free list that became a circle; -D finds where it was made";
        break;
    case VERDICT_FORBIDDEN:
        text = "memory comes from mem_sbrk, and printf helps to debug; files, threads, sleep and memory of the system are out "
               "of reach";
        break;
    default:
        break;
    }
    if (c->trace->max_size > INT32_MAX)
        text = "this trace has requests of more than 2^31 bytes: a size kept in 32 bits (int, unsigned, a header of 4 bytes, "
               "a cast) cannot hold them; size_t can";
    if (!r->hint[0])
        snprintf(r->hint, sizeof r->hint, "%s", text);
}
