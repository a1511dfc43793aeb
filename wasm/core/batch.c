/* The network of one stream or of several that take its parts together, while the weights of a part are in the cache. */
#include "core/state.h"

/* How many of the first streams may take the next part of a step together. */
static int32_t alike(sordino_state *const *streams, int32_t count)
{
    const sordino_state *first = streams[0];
    int32_t n = 1;
    while (n < count && n < SORDINO_TOGETHER && streams[n]->weights.bytes == first->weights.bytes &&
           streams[n]->parts_left == first->parts_left)
        n++;
    return n;
}

int32_t sordino_advance_together(sordino_state *const *streams, int32_t count)
{
    int32_t most_left = 0;
    for (int32_t i = 0, n; i < count; i += n) {
        sordino_state *const *s = streams + i;
        const sordino_network *network = s[0]->weights.network;
        sordino_turn turns[SORDINO_TOGETHER];
        n = alike(s, count - i);
        if (s[0]->parts_left == 0) continue;
        for (int k = 0; k < n; k++)
            turns[k] = (sordino_turn){&s[k]->decision, s[k]->network_state, s[k]->analysis.features};
        network->step(turns, n, s[0]->weights.bytes, network->parts - s[0]->parts_left);
        for (int k = 0; k < n; k++) s[k]->parts_left--;
        if (s[0]->parts_left > most_left) most_left = s[0]->parts_left;
    }
    return most_left;
}

int32_t sordino_advance(sordino_state *s)
{
    return sordino_advance_together(&s, 1);
}
