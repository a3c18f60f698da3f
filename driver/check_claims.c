/* check_claims.c - what a runner says about a request, compared with what may be true. */
#define _GNU_SOURCE
#include "check_state.h"

static void release(struct check *c, uint32_t number)
{
    shadow_remove(c->shadow, number);
    c->live[number] = 0;
    c->live_payload -= c->extent[number].size;
}

static int null_answer(struct check *c, size_t index)
{
    const struct request *q = &c->trace->requests[index];

    int resizes = q->kind == REQ_REALLOC && q->ref != REF_NULL;

    if (q->size == 0 && (resizes ? c->options->accepts.realloc_zero_null : c->options->accepts.malloc_zero_null)) {
        if (resizes && c->live[q->ref])
            release(c, q->ref); /* realloc to 0 freed it */
        return 1;
    }
    if (q->size == 0)
        return fail_at(c, index, VERDICT_NULL_ANSWER, "NULL for %s; this course wants a block even of size 0",
                       request_text(c, index));
    if (c->refused)
        return fail_at(c, index, VERDICT_HEAP_LIMIT,
                       "the heap reached its limit of %llu bytes with %llu payload bytes live, at %s",
                       (unsigned long long)c->process.heap_limit, (unsigned long long)c->live_payload,
                       request_text(c, index));
    return fail_at(c, index, VERDICT_NULL_ANSWER, "NULL for %s, with %llu of %llu heap bytes in use by payloads",
                   request_text(c, index), (unsigned long long)c->live_payload,
                   (unsigned long long)c->process.heap_limit);
}

/* A block that the allocator claims to have made for request INDEX. */
static int new_block(struct check *c, size_t index, uint64_t address)
{
    const struct request *q = &c->trace->requests[index];
    uint64_t base = heap_base_of(c->image->bits), offset = address - base;
    const char *what = request_text(c, index);
    uint32_t number = (uint32_t)index;

    c->record->address = offset;
    if (c->refused && address == (c->image->bits == 32 ? UINT32_MAX : UINT64_MAX)) {
        c->record->address = OFFSET_NULL;
        return fail_at(c, index, VERDICT_OUTSIDE, "%s got (void *)-1, which is what mem_sbrk returned at the heap's "
                       "limit of %llu bytes, not a block", what, (unsigned long long)c->process.heap_limit);
    }
    if (address < base || offset > c->brk || q->size > c->brk - offset) {
        if (address < base || offset > c->process.heap_limit)
            c->record->address = OFFSET_NULL;
        return fail_at(c, index, VERDICT_OUTSIDE,
                       "%s got address 0x%llx; %llu bytes there are not inside the heap (0x%llx to 0x%llx)", what,
                       (unsigned long long)address, (unsigned long long)q->size, (unsigned long long)base,
                       (unsigned long long)(base + c->brk));
    }
    if (offset % c->options->alignment)
        return fail_at(c, index, VERDICT_MISALIGNED, "%s got address 0x%llx, which is not a multiple of %llu", what,
                       (unsigned long long)address, (unsigned long long)c->options->alignment);
    if (q->kind == REQ_REALLOC && q->ref != REF_NULL && c->live[q->ref])
        release(c, q->ref);
    c->extent[number] = (struct extent){ offset, q->size };
    uint32_t other = shadow_add(c->shadow, number);
    if (other != SHADOW_NONE) {
        c->victim = other;
        return fail_at(c, index, VERDICT_OVERLAP, "%s got %llu bytes at heap offset 0x%llx, which overlap live %s",
                       what, (unsigned long long)q->size, (unsigned long long)offset, block_text(c, other));
    }
    c->live[number] = 1;
    c->live_payload += q->size;
    return 1;
}

int take_answer(struct check *c, size_t index, uint32_t i)
{
    const struct request *q = &c->trace->requests[index];
    const struct mailbox *box = &c->said;
    struct record *r = c->record;
    uint64_t brk = box->brk[i], address = box->block[i];

    if (brk < c->brk || brk > c->process.granted)
        return fail_at(c, index, VERDICT_FORBIDDEN,
                       "the break was tampered with at %s: it was %llu and is said to be %llu",
                       request_text(c, index), (unsigned long long)c->brk, (unsigned long long)brk);
    r->break_moves += brk != c->brk;
    c->brk = r->peak_break = brk; /* it only grows */
    if (q->kind == REQ_FREE) {
        if (q->ref != REF_NULL && c->live[q->ref])
            release(c, q->ref);
    } else if (!address ? !null_answer(c, index) : !new_block(c, index, address)) {
        return 0;
    }
    if (c->live_payload > r->peak_payload)
        r->peak_payload = c->live_payload;
    r->answers[index] = (struct answer){
        q->kind != REQ_FREE && address ? address - heap_base_of(c->image->bits) : OFFSET_NULL, brk };
    r->answered = index + 1;
    return 1;
}

int complaint(struct check *c, size_t index, uint32_t i)
{
    const struct mailbox *box = &c->said;
    const struct request *q = &c->trace->requests[index];
    uint64_t byte = box->bad_offset;

    /* A block at a wrong place is the graver news, whatever its bytes are. */
    if (box->complaint == COMPLAINT_BAD_ADDRESS || box->complaint == COMPLAINT_LOST
        || box->complaint == COMPLAINT_NOT_ZERO) {
        c->brk = box->brk[i] >= c->brk && box->brk[i] <= c->process.granted ? box->brk[i] : c->brk;
        if (q->kind == REQ_FREE || !new_block(c, index, box->block[i]))
            return q->kind != REQ_FREE ? 0 : fail_at(c, index, VERDICT_FORBIDDEN, "the replay was tampered with at %s",
                                                     request_text(c, index));
    }
    switch (box->complaint) {
    case COMPLAINT_DAMAGED:
        return q->ref == REF_NULL ? 1 : damaged(c, index, q->ref, byte);
    case COMPLAINT_LOST:
        c->victim = q->ref;
        return fail_at(c, index, VERDICT_LOST, "%s did not keep the old bytes: byte %llu differs from that of %s",
                       request_text(c, index), (unsigned long long)byte, block_text(c, q->ref));
    case COMPLAINT_NOT_ZERO:
        return fail_at(c, index, VERDICT_NOT_ZERO, "byte %llu of the block that calloc gave for %s is not zero",
                       (unsigned long long)byte, request_text(c, index));
    case COMPLAINT_CHECKHEAP:
        return fail_at(c, index, VERDICT_CHECKHEAP, "mm_checkheap reports %d broken invariant%s after %s",
                       box->status, box->status == 1 ? "" : "s", request_text(c, index));
    default:
        break;
    }
    return fail_at(c, index, VERDICT_FORBIDDEN, "the replay was tampered with at %s", request_text(c, index));
}

int tail_is_clean(struct check *c, size_t index)
{
    if (c->brk > c->process.granted || c->process.granted - c->brk >= PAGE)
        return fail_at(c, index, VERDICT_FORBIDDEN,
                       "the break was tampered with at %s: %llu bytes were asked for, and it is said to be %llu",
                       request_text(c, index), (unsigned long long)c->process.granted, (unsigned long long)c->brk);
    for (uint64_t at = c->brk; at < c->process.granted; at++) {
        if (c->process.heap[at]) {
            c->record->address = at;
            return fail_at(c, index, VERDICT_PAST_BREAK,
                           "wrote to heap offset 0x%llx, %llu bytes past the break (heap size %llu), by %s",
                           (unsigned long long)at, (unsigned long long)(at - c->brk),
                           (unsigned long long)c->brk, request_text(c, index));
        }
    }
    return 1;
}
