/* Counts the words of a made-up text in an open-addressed hash table: hashing, probing, comparing bytes. */
#include "kernel.h"

enum { TEXT = 1 << 20, SLOTS = 1 << 14, WORDS = 5000 };

static char text[TEXT + 16];
static struct { const char *start; uint32_t length, hash, count; } table[SLOTS];

static void make_text(void)
{
    int at = 0;
    while (at < TEXT) {
        uint32_t word = random_number() % WORDS;
        word = word * (random_number() % WORDS) / WORDS; /* some are more frequent than others */
        uint32_t letters = word * 2654435761u + 1;
        for (int n = 3 + (int)(letters % 7); n > 0 && at < TEXT; n--, letters = letters * 1103515245u + 12345)
            text[at++] = (char)('a' + (letters >> 16) % 26);
        text[at++] = ' ';
    }
}

int main(int argc, char **argv)
{
    uint64_t sum = 0;
    make_text();
    for (long turn = turns(argc, argv, 290); turn > 0; turn--) {
        memset(table, 0, sizeof table);
        for (const char *p = text, *end = text + TEXT; p < end;) {
            while (p < end && *p == ' ')
                p++;
            const char *start = p;
            uint32_t hash = 2166136261u;
            while (p < end && *p != ' ')
                hash = (hash ^ (uint8_t)*p++) * 16777619u;
            uint32_t length = (uint32_t)(p - start), slot = hash % SLOTS;
            if (!length)
                break;
            while (table[slot].count && (table[slot].hash != hash || table[slot].length != length ||
                                         memcmp(table[slot].start, start, length) != 0))
                slot = (slot + 1) % SLOTS;
            if (!table[slot].count++) {
                table[slot].start = start;
                table[slot].length = length;
                table[slot].hash = hash;
            }
        }
        for (int i = 0; i < SLOTS; i++)
            sum = sum * 3 + table[i].count;
        text[turn % TEXT] ^= 1;
        if (text[turn % TEXT] == '!')
            text[turn % TEXT] = ' ';
    }
    return answer(sum);
}
