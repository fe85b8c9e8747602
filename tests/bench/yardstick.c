/* The nonce search written by hand, as the yardstick of what the kernels reach: once with the SHA
 * instructions of x86, two nonces in turn, and once with the compiler's own vectors. Arguments and
 * answers are those that workers/kernels/loop.py describes. */
#include <stdint.h>

static const uint32_t K[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

#define ROTATE(x, n) ((x) >> (n) | (x) << (32 - (n)))
static const uint32_t INITIAL[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

/* the state after the context's first block */
static void compress(const uint32_t *context, uint32_t *state) {
    uint32_t w[64], s[8];
    for (int t = 0; t < 64; t++)
        w[t] = t < 16 ? context[t]
                      : (ROTATE(w[t - 2], 17) ^ ROTATE(w[t - 2], 19) ^ w[t - 2] >> 10) + w[t - 7] +
                            (ROTATE(w[t - 15], 7) ^ ROTATE(w[t - 15], 18) ^ w[t - 15] >> 3) + w[t - 16];
    for (int i = 0; i < 8; i++) s[i] = INITIAL[i];
    for (int t = 0; t < 64; t++) {
        uint32_t t1 = s[7] + K[t] + w[t] + (ROTATE(s[4], 6) ^ ROTATE(s[4], 11) ^ ROTATE(s[4], 25)) +
                      (s[6] ^ (s[4] & (s[5] ^ s[6])));
        uint32_t t2 = (ROTATE(s[0], 2) ^ ROTATE(s[0], 13) ^ ROTATE(s[0], 22)) +
                      ((s[0] & s[1]) ^ (s[2] & (s[0] ^ s[1])));
        for (int i = 7; i > 0; i--) s[i] = s[i - 1];
        s[4] += t1, s[0] = t1 + t2;
    }
    for (int i = 0; i < 8; i++) state[i] = INITIAL[i] + s[i];
}

#if defined(__SHA__) && defined(__SSE4_1__)
#include <immintrin.h>

uint64_t search_sha(const uint32_t *context, uint32_t low, uint64_t count, uint32_t bound) {
    uint32_t s[8];
    compress(context, s);
    const uint32_t *w = context + 16;
    const __m128i *k = (const __m128i *)K;
    const __m128i abef0 = _mm_set_epi32(s[0], s[1], s[4], s[5]);
    const __m128i cdgh0 = _mm_set_epi32(s[2], s[3], s[6], s[7]);
    const __m128i first = _mm_set_epi32(w[3], w[2], w[1], w[0]);
    const __m128i second = _mm_set_epi32(0, w[6], w[5], w[4]);
    const __m128i third = _mm_set_epi32(0, 0, 0, (int)0x80000000);
    const __m128i fourth = _mm_set_epi32(768, 0, 0, 0);
    /* six rounds wait for no nonce */
    __m128i key = _mm_add_epi32(first, _mm_loadu_si128(k));
    __m128i cdgh = _mm_sha256rnds2_epu32(cdgh0, abef0, key);
    __m128i abef = _mm_sha256rnds2_epu32(abef0, cdgh, _mm_shuffle_epi32(key, 0x0E));
    key = _mm_add_epi32(second, _mm_loadu_si128(k + 1));
    const __m128i abef6 = _mm_sha256rnds2_epu32(cdgh, abef, key), cdgh6 = abef;

    for (uint64_t offset = 0; offset < count; offset += 2) {
        __m128i ab[2], cd[2], word[2][16];
        for (int n = 0; n < 2; n++) {
            word[n][0] = first;
            word[n][1] = _mm_insert_epi32(second, (int)(low + offset + n), 3);
            word[n][2] = third;
            word[n][3] = fourth;
            key = _mm_add_epi32(word[n][1], _mm_loadu_si128(k + 1));
            ab[n] = _mm_sha256rnds2_epu32(cdgh6, abef6, _mm_shuffle_epi32(key, 0x0E));
            cd[n] = abef6;
        }
#pragma GCC unroll 16
        for (int t = 2; t < 16; t++)
            for (int n = 0; n < 2; n++) {
                __m128i *v = word[n];
                if (t >= 4)
                    v[t] = _mm_sha256msg2_epu32(
                        _mm_add_epi32(_mm_sha256msg1_epu32(v[t - 4], v[t - 3]),
                                      _mm_alignr_epi8(v[t - 1], v[t - 2], 4)),
                        v[t - 1]);
                key = _mm_add_epi32(v[t], _mm_loadu_si128(k + t));
                cd[n] = _mm_sha256rnds2_epu32(cd[n], ab[n], key);
                ab[n] = _mm_sha256rnds2_epu32(ab[n], cd[n], _mm_shuffle_epi32(key, 0x0E));
            }
        for (int n = 0; n < 2; n++)
            if ((uint32_t)_mm_extract_epi32(ab[n], 3) + s[0] <= bound) return offset + n;
    }
    return count;
}
#endif

#ifndef LANES
#define LANES 4
#endif
typedef uint32_t vector __attribute__((vector_size(4 * LANES)));

uint64_t search_vectors(const uint32_t *context, uint32_t low, uint64_t count, uint32_t bound) {
    uint32_t midstate[8];
    compress(context, midstate);
    vector lanes, zero = {0};
    for (int n = 0; n < LANES; n++) lanes[n] = (uint32_t)n;
    for (uint64_t offset = 0; offset < count; offset += LANES) {
        vector w[64], s[8];
        for (int i = 0; i < 8; i++) s[i] = zero + midstate[i];
        for (int i = 0; i < 7; i++) w[i] = zero + context[16 + i];
        w[7] = lanes + (uint32_t)(low + offset);
        w[8] = zero + 0x80000000u;
        for (int i = 9; i < 15; i++) w[i] = zero;
        w[15] = zero + 768u;
#pragma GCC unroll 48
        for (int t = 16; t < 64; t++) {
            vector a = w[t - 2], b = w[t - 15];
            w[t] = (ROTATE(a, 17) ^ ROTATE(a, 19) ^ a >> 10) + w[t - 7] +
                   (ROTATE(b, 7) ^ ROTATE(b, 18) ^ b >> 3) + w[t - 16];
        }
#pragma GCC unroll 64
        for (int t = 0; t < 64; t++) {
            vector e = s[4], a = s[0];
            vector t1 = s[7] + K[t] + w[t] + (ROTATE(e, 6) ^ ROTATE(e, 11) ^ ROTATE(e, 25)) +
                        (s[6] ^ (e & (s[5] ^ s[6])));
            vector t2 = (ROTATE(a, 2) ^ ROTATE(a, 13) ^ ROTATE(a, 22)) +
                        ((a & s[1]) ^ (s[2] & (a ^ s[1])));
            s[7] = s[6], s[6] = s[5], s[5] = e, s[4] = s[3] + t1;
            s[3] = s[2], s[2] = s[1], s[1] = a, s[0] = t1 + t2;
        }
        vector hits = (vector)(s[0] + midstate[0] <= zero + bound);
        for (int n = 0; n < LANES; n++)
            if (hits[n]) return offset + (uint64_t)n;
    }
    return count;
}
