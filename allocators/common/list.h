/*
 * list.h - doubly linked lists of free blocks, which hold the links themselves.
 *
 * Whoever includes this has a struct block with members `next` and `prev` before; a list is a pointer to
 * its first block, or NULL.
 */
#ifndef LIST_H
#define LIST_H

/* Puts B after PREV, or at the head when PREV is NULL. */
__attribute__((unused)) static void list_insert(struct block **head, struct block *prev, struct block *b)
{
    struct block **link = prev ? &prev->next : head;

    b->prev = prev;
    b->next = *link;
    *link = b;
    if (b->next)
        b->next->prev = b;
}

__attribute__((unused)) static void list_remove(struct block **head, const struct block *b)
{
    *(b->prev ? &b->prev->next : head) = b->next;
    if (b->next)
        b->next->prev = b->prev;
}

#endif
