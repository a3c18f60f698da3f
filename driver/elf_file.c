/*
 * elf_file.c - a bounds-checked reader of ELF (System V ABI, chapters 4 and 5).
 *
 * The 32-bit structures are widened into the 64-bit ones as they are read;
 * above that there is one kind of file.
 */
#include "elf_file.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_SYMBOLS 200000
#define SHN_LARGE_COMMON 0xff02 /* x86-64: .largecomm */
#define USUAL_ALIGNMENT 64 /* of data: a cache line. More makes a gap that could be used, so it counts */

struct image {
    const unsigned char *bytes;
    size_t n;
    int bits;
    Elf64_Ehdr header;
};

/* ---- access ---- */

/* Copies SIZE bytes at OFFSET; 0 when they are not there. */
static int get(const struct image *m, uint64_t offset, void *to, size_t size)
{
    if (offset > m->n || size > m->n - offset)
        return 0;
    memcpy(to, m->bytes + offset, size);
    return 1;
}

#define WIDEN(field) to->field = narrow.field

static int open_image(struct image *m, const unsigned char *bytes, size_t n)
{
    Elf64_Ehdr *to = &m->header;
    Elf32_Ehdr narrow;

    *m = (struct image){ .bytes = bytes, .n = n };
    if (n < EI_NIDENT || memcmp(bytes, ELFMAG, SELFMAG) != 0 || bytes[EI_DATA] != ELFDATA2LSB)
        return 0;
    if (bytes[EI_CLASS] == ELFCLASS64) {
        m->bits = 64;
        return get(m, 0, to, sizeof *to) && to->e_machine == EM_X86_64;
    }
    m->bits = 32;
    if (bytes[EI_CLASS] != ELFCLASS32 || !get(m, 0, &narrow, sizeof narrow) || narrow.e_machine != EM_386)
        return 0;
    WIDEN(e_type), WIDEN(e_phoff), WIDEN(e_shoff), WIDEN(e_phentsize), WIDEN(e_phnum), WIDEN(e_shentsize);
    WIDEN(e_shnum), WIDEN(e_shstrndx);
    return 1;
}

static int get_section(const struct image *m, uint64_t index, Elf64_Shdr *to)
{
    uint64_t at = m->header.e_shoff + index * m->header.e_shentsize;
    Elf32_Shdr narrow;

    if (index >= m->header.e_shnum || m->header.e_shoff > m->n)
        return 0;
    if (m->bits == 64)
        return get(m, at, to, sizeof *to);
    if (!get(m, at, &narrow, sizeof narrow))
        return 0;
    WIDEN(sh_name), WIDEN(sh_type), WIDEN(sh_flags), WIDEN(sh_addr), WIDEN(sh_offset), WIDEN(sh_size);
    WIDEN(sh_link), WIDEN(sh_info), WIDEN(sh_entsize), WIDEN(sh_addralign);
    return 1;
}

static int get_segment(const struct image *m, uint64_t index, Elf64_Phdr *to)
{
    uint64_t at = m->header.e_phoff + index * m->header.e_phentsize;
    Elf32_Phdr narrow;

    if (index >= m->header.e_phnum || m->header.e_phoff > m->n)
        return 0;
    if (m->bits == 64)
        return get(m, at, to, sizeof *to);
    if (!get(m, at, &narrow, sizeof narrow))
        return 0;
    WIDEN(p_type), WIDEN(p_flags), WIDEN(p_offset), WIDEN(p_vaddr), WIDEN(p_filesz), WIDEN(p_memsz);
    return 1;
}

static int get_symbol(const struct image *m, const Elf64_Shdr *table, uint64_t index, Elf64_Sym *to)
{
    size_t size = m->bits == 64 ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym);
    Elf32_Sym narrow;

    if (index >= table->sh_size / size || table->sh_offset > m->n)
        return 0;
    if (m->bits == 64)
        return get(m, table->sh_offset + index * size, to, sizeof *to);
    if (!get(m, table->sh_offset + index * size, &narrow, sizeof narrow))
        return 0;
    WIDEN(st_name), WIDEN(st_value), WIDEN(st_size), WIDEN(st_info), WIDEN(st_shndx);
    return 1;
}

/* A NUL-terminated string at OFFSET of a string section, cut to SIZE. */
static void get_text(const struct image *m, const Elf64_Shdr *strings, uint64_t offset, char *to, size_t size)
{
    size_t i = 0;

    if (strings->sh_offset <= m->n && offset <= m->n - strings->sh_offset)
        for (uint64_t at = strings->sh_offset + offset; i + 1 < size && at + i < m->n && m->bytes[at + i]; i++)
            to[i] = (char)m->bytes[at + i];
    to[i] = '\0';
}

static int find_symbols(const struct image *m, Elf64_Shdr *table, Elf64_Shdr *strings)
{
    for (uint64_t i = 0; get_section(m, i, table); i++)
        if (table->sh_type == SHT_SYMTAB)
            return get_section(m, table->sh_link, strings);
    return 0;
}

/* ---- objects ---- */

static int begins(const char *name, const char *prefix) { return strncmp(name, prefix, strlen(prefix)) == 0; }

/* Whether the linker puts a section where its flags say. It goes by names, and merges sections of one name: so a
 * name that is not its own kind's could make memory writable that is not counted, or run at start. */
static int kind_agrees(const Elf64_Shdr *s, const char *name)
{
    static const struct { const char *prefix; uint64_t flags; } kinds[] = {
        { ".text", SHF_ALLOC | SHF_EXECINSTR }, { ".rodata", SHF_ALLOC }, { ".lrodata", SHF_ALLOC },
        { ".eh_frame", SHF_ALLOC }, { ".gcc_except_table", SHF_ALLOC }, { ".note", SHF_ALLOC },
        { ".data", SHF_ALLOC | SHF_WRITE }, { ".bss", SHF_ALLOC | SHF_WRITE },
        { ".ldata", SHF_ALLOC | SHF_WRITE }, { ".lbss", SHF_ALLOC | SHF_WRITE },
    };
    static const char *const unloaded[] = { ".comment", ".debug", ".symtab", ".strtab", ".shstrtab", ".group" };
    uint64_t kind = s->sh_flags & (SHF_ALLOC | SHF_WRITE | SHF_EXECINSTR);

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (begins(name, kinds[i].prefix))
            return kind == kinds[i].flags || (!(kind & SHF_ALLOC) && begins(name, ".note"));
    if (name[0] != '.') /* a section of one's own: data, and counted; a name of the C library's is none */
        return (kind == (SHF_ALLOC | SHF_WRITE) && name[0] != '_') || !name[0];
    if (s->sh_type == SHT_REL || s->sh_type == SHT_RELA) /* what the compiler leaves for the linker to do */
        return kind == 0;
    for (size_t i = 0; kind == 0 && i < sizeof unloaded / sizeof *unloaded; i++)
        if (begins(name, unloaded[i]))
            return 1;
    return 0;
}

static unsigned oddity_of(const Elf64_Shdr *s, const char *name)
{
    static const struct { const char *prefix; unsigned oddity; } named[] = {
        { ".ctors", ODD_CONSTRUCTOR }, { ".preinit", ODD_CONSTRUCTOR }, { ".init", ODD_CONSTRUCTOR },
        { ".dtors", ODD_DESTRUCTOR }, { ".fini", ODD_DESTRUCTOR },
    };
    unsigned odd = 0;

    if (s->sh_type == SHT_INIT_ARRAY || s->sh_type == SHT_PREINIT_ARRAY)
        odd |= ODD_CONSTRUCTOR;
    if (s->sh_type == SHT_FINI_ARRAY)
        odd |= ODD_DESTRUCTOR;
    if (s->sh_flags & SHF_ALLOC)
        for (size_t i = 0; i < sizeof named / sizeof *named; i++)
            if (begins(name, named[i].prefix))
                odd |= named[i].oddity;
    if (s->sh_flags & SHF_TLS)
        odd |= ODD_TLS;
    if (s->sh_flags & SHF_WRITE && s->sh_flags & SHF_EXECINSTR)
        odd |= ODD_WRITE_EXEC;
    return odd || kind_agrees(s, name) ? odd : ODD_SECTION;
}

static void read_sections(struct elf_object *o, const struct image *m)
{
    Elf64_Shdr s, names = { 0 };
    char name[64];

    if (!get_section(m, m->header.e_shstrndx, &names))
        names.sh_offset = m->n;
    for (uint64_t i = 0; get_section(m, i, &s); i++) {
        get_text(m, &names, s.sh_name, name, sizeof name);
        if (s.sh_flags & SHF_ALLOC && s.sh_flags & SHF_WRITE)
            o->writable_bytes += s.sh_size + (s.sh_addralign > USUAL_ALIGNMENT ? s.sh_addralign : 0);
        unsigned odd = oddity_of(&s, name);
        if (odd)
            memcpy(o->odd_section, name, sizeof name);
        o->oddities |= odd;
    }
}

static int read_symbols(struct elf_object *o, const struct image *m)
{
    Elf64_Shdr table, strings, section;
    Elf64_Sym symbol;

    if (!find_symbols(m, &table, &strings))
        return 0;
    size_t most = table.sh_size / (m->bits == 64 ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym));
    o->symbols = most <= MOST_SYMBOLS ? calloc(most + 1, sizeof *o->symbols) : NULL;
    if (!o->symbols)
        return -1;
    for (uint64_t i = 1; get_symbol(m, &table, i, &symbol); i++) {
        struct elf_symbol *to = &o->symbols[o->symbol_count];
        int type = ELF64_ST_TYPE(symbol.st_info);
        if (type == STT_SECTION || type == STT_FILE)
            continue;
        get_text(m, &strings, symbol.st_name, to->name, sizeof to->name);
        to->size = symbol.st_size;
        to->defined = symbol.st_shndx != SHN_UNDEF;
        to->function = type == STT_FUNC || type == STT_GNU_IFUNC;
        int common = symbol.st_shndx == SHN_COMMON || (m->bits == 64 && symbol.st_shndx == SHN_LARGE_COMMON);
        to->writable = common
            || (to->defined && symbol.st_shndx < SHN_LORESERVE && get_section(m, symbol.st_shndx, &section)
                && section.sh_flags & SHF_WRITE);
        if (common)
            o->writable_bytes += symbol.st_size;
        if (type == STT_GNU_IFUNC)
            o->oddities |= ODD_IFUNC;
        if (type == STT_TLS)
            o->oddities |= ODD_TLS;
        if (ELF64_ST_BIND(symbol.st_info) == STB_GNU_UNIQUE)
            o->oddities |= ODD_UNIQUE;
        o->symbol_count++;
    }
    return 0;
}

int elf_read_object(struct elf_object *o, const unsigned char *bytes, size_t n, char *error, size_t error_size)
{
    struct image m;

    *o = (struct elf_object){ 0 };
    if (!open_image(&m, bytes, n) || m.header.e_type != ET_REL) {
        snprintf(error, error_size, "the compiler's output is not an x86 object file");
        return -1;
    }
    if (!m.header.e_shnum) { /* 0xff00 or more: then the first section has their number */
        snprintf(error, error_size, "the object file has more sections than its header can count");
        return -1;
    }
    o->bits = m.bits;
    read_sections(o, &m);
    if (read_symbols(o, &m)) {
        snprintf(error, error_size, "the object file has more than %d symbols", MOST_SYMBOLS);
        return -1;
    }
    const struct elf_symbol *team = elf_symbol(o, "team");
    if (team && team->writable && team->size <= 128 && team->size <= o->writable_bytes) {
        o->team_bytes = team->size;
        o->writable_bytes -= team->size;
    }
    return 0;
}

void elf_object_free(struct elf_object *o)
{
    free(o->symbols);
    o->symbols = NULL;
    o->symbol_count = 0;
}

const struct elf_symbol *elf_symbol(const struct elf_object *o, const char *name)
{
    for (size_t i = 0; i < o->symbol_count; i++)
        if (strcmp(o->symbols[i].name, name) == 0)
            return &o->symbols[i];
    return NULL;
}

/* ---- executables ---- */

uint64_t elf_writable_segments(const unsigned char *bytes, size_t n)
{
    struct image m;
    Elf64_Phdr segment;
    uint64_t total = 0;

    if (!open_image(&m, bytes, n))
        return 0;
    for (uint64_t i = 0; get_segment(&m, i, &segment); i++)
        if (segment.p_type == PT_LOAD && segment.p_flags & PF_W)
            total += segment.p_memsz;
    return total;
}

/* File offset of a virtual address; past the end of the file when it has none. */
static uint64_t file_offset(const struct image *m, uint64_t address)
{
    Elf64_Phdr segment;

    for (uint64_t i = 0; get_segment(m, i, &segment); i++)
        if (segment.p_type == PT_LOAD && address >= segment.p_vaddr && address - segment.p_vaddr < segment.p_filesz)
            return segment.p_offset + (address - segment.p_vaddr);
    return m->n;
}

size_t elf_strings_of(const unsigned char *bytes, size_t n, const char *name, char (*out)[64], size_t most)
{
    struct image m;
    Elf64_Shdr table, strings, whole = { 0 };
    Elf64_Sym symbol;
    char text[64];

    if (!open_image(&m, bytes, n) || !find_symbols(&m, &table, &strings))
        return 0;
    for (uint64_t i = 1; get_symbol(&m, &table, i, &symbol); i++) {
        get_text(&m, &strings, symbol.st_name, text, sizeof text);
        if (strcmp(text, name) != 0 || ELF64_ST_TYPE(symbol.st_info) != STT_OBJECT)
            continue;
        size_t width = m.bits == 64 ? 8 : 4, count = symbol.st_size / width;
        if (count > most) /* no struct of pointers that we know: perhaps the names themselves */
            return 0;
        for (size_t k = 0; k < count; k++) {
            uint64_t pointer = 0, at = file_offset(&m, symbol.st_value + k * width);
            if (!get(&m, at, &pointer, width))
                pointer = 0;
            get_text(&m, &whole, pointer ? file_offset(&m, pointer) : m.n, out[k], sizeof out[k]);
        }
        return count;
    }
    return 0;
}
