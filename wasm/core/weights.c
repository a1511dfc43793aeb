/* Reads the header of a weight file and checks the whole. Layout: py/sordino/formats/weight_file.py. */
#include "core/weights.h"

#include "sordino.h"

typedef struct {
    uint32_t magic, version, bytes, checksum, network, look_ahead;
} header;

/* Adler-32 (RFC 1950). */
static uint32_t checksum(const uint8_t *bytes, uint32_t n)
{
    uint32_t a = 1, b = 0;
    for (uint32_t i = 0; i < n;) {
        const uint32_t stop = n - i > 5552 ? i + 5552 : n;
        for (; i < stop; i++) {
            a += bytes[i];
            b += a;
        }
        a %= 65521;
        b %= 65521;
    }
    return (b << 16) | a;
}

int32_t sordino_open_weights(sordino_weights *opened, const uint8_t *weights, uint32_t bytes)
{
    header h;
    if (bytes < WEIGHT_HEADER_BYTES) return SORDINO_NOT_A_WEIGHT_FILE;
    __builtin_memcpy(&h, weights, sizeof h);
    if (h.magic != WEIGHT_MAGIC) return SORDINO_NOT_A_WEIGHT_FILE;
    if (h.version != WEIGHT_VERSION) return SORDINO_WRONG_VERSION;
    if (h.bytes != bytes) return SORDINO_WRONG_SIZE;
    if (h.checksum != checksum(weights + WEIGHT_HEADER_BYTES, bytes - WEIGHT_HEADER_BYTES)) return SORDINO_WRONG_CHECKSUM;
    const sordino_network *network = sordino_find_network(h.network);
    if (!network || network->weight_bytes != bytes || h.look_ahead > MAX_LOOK_AHEAD) return SORDINO_UNKNOWN_NETWORK;
    const float *offset = (const float *)(const void *)(weights + WEIGHT_HEADER_BYTES);
    *opened = (sordino_weights){weights, network, (int32_t)h.look_ahead, offset, offset + PADDED_FEATURES};
    return SORDINO_OK;
}
