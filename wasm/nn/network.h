/* Stage network: what every generated network file provides and what it is built from. */
#ifndef SORDINO_NETWORK_H
#define SORDINO_NETWORK_H

#include <stdint.h>

#include "stages.h"

#define ACTIVATION_ZERO ACTIVATION_OFFSET /* the byte that stands for 0 */

/* What the network says of a frame; the padding is 0. */
typedef struct {
    float gain[PADDED_BANDS];
    float strength[PADDED_BANDS];
    float voice;
} sordino_decision;

/* So many vectors go through a layer together, so that each weight is read once for all of them; and so many streams take
 * a part of a step one after the other, so that its weights are still in the cache. */
#define SORDINO_TOGETHER 4

/* One stream in a step.
 *
 * out       its decision, complete after the last part
 * state     its state of this network
 * features  [PADDED_FEATURES] of its frame, normalised; the same for all parts
 */
typedef struct {
    sordino_decision *out;
    void *state;
    const float *features;
} sordino_turn;

/* A network shape that this build knows.
 *
 * id            identifies the shape; a weight file names the one it was made for
 * weight_bytes  size of the whole weight file
 * state_bytes   size of one stream's state, at most SORDINO_NETWORK_STATE_BYTES
 * parts         into how many parts of similar cost a step is cut
 * reset         set a state to silence
 * step          one part of the decisions on a frame of each of 1..SORDINO_TOGETHER streams: all of 0..parts-1 in turn
 */
typedef struct {
    uint32_t id;
    uint32_t weight_bytes;
    uint32_t state_bytes;
    int32_t parts;
    void (*reset)(void *state);
    void (*step)(const sordino_turn *turns, int32_t streams, const uint8_t *weights, int32_t part);
} sordino_network;

#pragma GCC visibility push(default) /* the tests call each by its name, in the extension too */

/* The shape with this id, or a null pointer. */
const sordino_network *sordino_find_network(uint32_t id);

/* y [rows] = matrix in the weight file, in the layout of nn/kernels/gemv.h, times q [columns] bytes 1..127.
 * Reference: network._IntegerLayer. */
void sordino_dense(float *y, const uint8_t *matrix, const uint8_t *q, int32_t rows, int32_t columns);

/* sordino_dense for SORDINO_TOGETHER vectors: y [SORDINO_TOGETHER][rows], `stride` floats apart; q their bytes. */
void sordino_dense_together(float *y, int32_t stride, const uint8_t *matrix, const uint8_t *const *q, int32_t rows,
                            int32_t columns);

/* Activations in -1..1 as bytes 1..127 around 64. q [n]; x [n]; n a multiple of 4. Reference: network.quantise_activation. */
void sordino_quantise(uint8_t *q, const float *x, int32_t n);

/* Bytes of fast_tanh(x scale + shift). q [n]; x, scale, shift [n]; n a multiple of 4. Reference: network.Network._squash. */
void sordino_squash(uint8_t *q, const float *x, const float *scale, const float *shift, int32_t n);

/* x += y [n], n a multiple of 4. */
void sordino_add(float *x, const float *y, int32_t n);

/* fast_tanh in place; x [n], n a multiple of 4. Reference: numerics.fast_tanh. */
void sordino_fast_tanh(float *x, int32_t n);

/* fast_tanh, then sordino_quantise; x is overwritten. */
void sordino_quantise_fast_tanh(uint8_t *q, float *x, int32_t n);

/* One GRU update with fast gates. h [n] in/out; q [n] its bytes; from_input, from_state [3 n] (reset, update, new).
 * Reference: network._Gru. */
void sordino_gru(float *h, uint8_t *q, const float *from_input, const float *from_state, int32_t n);

/* Logistic function in place; x [n], n a multiple of 4. */
void sordino_sigmoid(float *x, int32_t n);

/* The first BANDS of x in out [PADDED_BANDS], and zeros. */
void sordino_keep_bands(float *out, const float *x);

#pragma GCC visibility pop

#endif
