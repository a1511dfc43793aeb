// The stages of the chain one by one, and the networks' matrix products: what the parity tests call in sordino._native.
#include "views.h"

#include <array>
#include <cstdint>
#include <utility>

extern "C" {
#include "nn/network.h"
#include "stages.h"
}

namespace {

// A stage that takes `sizes.size()` float buffers, the first `outputs` of them written.
template <class... A>
void bind(py::module_ &m, const char *name, void (*stage)(A...), std::array<py::ssize_t, sizeof...(A)> sizes,
          size_t outputs)
{
    m.def(name, [=](py::args args) {
        if (args.size() != sizeof...(A)) throw py::type_error(std::string(name) + ": wrong number of buffers");
        std::array<float *, sizeof...(A)> at;
        for (size_t i = 0; i < sizeof...(A); i++) at[i] = view<float>(args[i].cast<py::buffer>(), sizes[i], i < outputs);
        [&]<size_t... I>(std::index_sequence<I...>) { stage(at[I]...); }(std::make_index_sequence<sizeof...(A)>());
    });
}

// Vectors that lie one behind the other.
std::array<const uint8_t *, SORDINO_TOGETHER> split(const uint8_t *q, int32_t columns)
{
    std::array<const uint8_t *, SORDINO_TOGETHER> vectors;
    for (int k = 0; k < SORDINO_TOGETHER; k++) vectors[static_cast<size_t>(k)] = q + k * columns;
    return vectors;
}

} // namespace

void bind_stages(py::module_ m)
{
    constexpr py::ssize_t bins = PADDED_BINS, bands = PADDED_BANDS, features = PADDED_FEATURES;
    bind(m, "analyse", sordino_analyse, {bins, bins, WINDOW}, 2);
    bind(m, "synthesise", sordino_synthesise, {HOP, HOP, bins, bins}, 2);
    bind(m, "band_sum", sordino_band_sum, {bands, bins}, 1);
    bind(m, "band_energy", sordino_band_energy, {bands, bins, bins}, 1);
    bind(m, "band_cross", sordino_band_cross, {bands, bins, bins, bins, bins}, 1);
    bind(m, "to_bins", sordino_to_bins, {bins, bands}, 1);
    bind(m, "decimate", sordino_decimate, {HOP / DECIMATION, HOP + DECIMATION_TAPS - DECIMATION}, 1);
    bind(m, "correlate", sordino_correlate, {LAGS, PITCH_HISTORY}, 1);
    bind(m, "coherence", sordino_coherence, {bands, bands, bands, bands}, 1);
    bind(m, "normalise", sordino_normalise, {features, features, features, features}, 1);
    bind(m, "mix_comb", sordino_mix_comb, {bins, bins, bins, bins, bands}, 2);
    bind(m, "apply_gains", sordino_apply_gains, {bins, bins, bands, bands}, 2);
    m.def("follow_level", [](const py::buffer &level, const py::buffer &x) {
        int32_t *at = view<int32_t>(level, 4, true);
        sordino_level now{at[0], at[1], at[2], at[3]};
        sordino_follow_level(&now, view<float>(x, HOP, false));
        at[0] = now.peak, at[1] = now.age, at[2] = now.scale, at[3] = now.wait;
    });
    m.def("onset",
          [](const py::buffer &memory, float voice) { return sordino_onset(view<float>(memory, 2, true), voice); });
    m.def("lift_gains", [](const py::buffer &out, const py::buffer &gain, float lift) {
        sordino_lift_gains(view<float>(out, PADDED_BANDS, true), view<float>(gain, PADDED_BANDS, false), lift);
    });
    m.def("limit_gains", [](const py::buffer &gain, const py::buffer &strength, float floor_gain) {
        sordino_limit_gains(view<float>(gain, PADDED_BANDS, true), view<float>(strength, PADDED_BANDS, true), floor_gain);
    });
    m.def("noise_share", [](const py::buffer &memory, const py::buffer &gain, const py::buffer &energy) {
        return sordino_noise_share(view<float>(memory, 2, true), view<float>(gain, PADDED_BANDS, false),
                                   view<float>(energy, PADDED_BANDS, false));
    });
    m.def("postfilter", [](const py::buffer &out, const py::buffer &gain, const py::buffer &energy, float strength) {
        sordino_postfilter(view<float>(out, PADDED_BANDS, true), view<float>(gain, PADDED_BANDS, false),
                           view<float>(energy, PADDED_BANDS, false), strength);
    });
    m.def("track", [](const py::buffer &score, const py::buffer &origin, const py::buffer &correlation) {
        sordino_track(view<float>(score, LAGS, true), view<uint8_t>(origin, LAGS, true),
                      view<float>(correlation, LAGS, false));
    });
    m.def("trace_back", [](const py::buffer &score, const py::buffer &origins, int32_t frames) {
        return sordino_trace_back(view<float>(score, LAGS, false), view<uint8_t>(origins, frames * LAGS, false), frames);
    });
    m.def("refine", [](const py::buffer &correlation, const py::buffer &samples, int32_t lag) {
        const float *past = view<float>(samples, HISTORY + WINDOW, false);
        return sordino_refine(view<float>(correlation, 1, true), past + HISTORY, lag);
    });
    m.def("comb", [](const py::buffer &out, const py::buffer &samples, int32_t period, int32_t look_ahead) {
        if (look_ahead < 0 || look_ahead > MAX_LOOK_AHEAD || period < PERIOD_MIN || period > PERIOD_MAX)
            throw py::value_error("period or look-ahead out of range");
        const float *past = view<float>(samples, HISTORY + WINDOW + HOP * look_ahead, false);
        sordino_comb(view<float>(out, WINDOW, true), past + HISTORY, period, look_ahead);
    });
    m.def("features", [](const py::buffer &out, const py::buffer &energy, const py::buffer &coherence, int32_t period,
                         float correlation) {
        sordino_features(view<float>(out, PADDED_FEATURES, true), view<float>(energy, PADDED_BANDS, false),
                         view<float>(coherence, PADDED_BANDS, false), period, correlation);
    });
    m.def("quantise", [](const py::buffer &q, const py::buffer &x, int32_t n) {
        if (n % 4) throw py::value_error("n is not a multiple of 4");
        sordino_quantise(view<uint8_t>(q, n, true), view<float>(x, n, false), n);
    });
    m.def("sigmoid", [](const py::buffer &x, int32_t n) {
        if (n % 4) throw py::value_error("n is not a multiple of 4");
        sordino_sigmoid(view<float>(x, n, true), n);
    });
    m.def("dense", [](const py::buffer &y, const py::buffer &matrix, const py::buffer &q, int32_t rows, int32_t columns) {
        const uint8_t *bytes = view<uint8_t>(matrix, rows * (12 + columns), false);
        sordino_dense(view<float>(y, rows, true), bytes, view<uint8_t>(q, columns, false), rows, columns);
    });
    m.def("sparse", [](const py::buffer &y, const py::buffer &matrix, const py::buffer &q, int32_t rows, int32_t columns,
                       int32_t blocks) {
        const uint8_t *bytes = view<uint8_t>(matrix, -1, false);
        if (!sordino_sparse_valid(bytes, rows, columns, blocks)) throw py::value_error("damaged lists");
        sordino_sparse(view<float>(y, rows, true), bytes, view<uint8_t>(q, columns, false), rows, columns, blocks);
    });
    m.def("dense_together", [](const py::buffer &y, const py::buffer &matrix, const py::buffer &q, int32_t rows,
                               int32_t columns) {
        const uint8_t *bytes = view<uint8_t>(matrix, rows * (12 + columns), false);
        const auto vectors = split(view<uint8_t>(q, SORDINO_TOGETHER * columns, false), columns);
        sordino_dense_together(view<float>(y, SORDINO_TOGETHER * rows, true), rows, bytes, vectors.data(), rows, columns);
    });
    m.def("sparse_together", [](const py::buffer &y, const py::buffer &matrix, const py::buffer &q, int32_t rows,
                                int32_t columns, int32_t blocks) {
        const uint8_t *bytes = view<uint8_t>(matrix, -1, false);
        if (!sordino_sparse_valid(bytes, rows, columns, blocks)) throw py::value_error("damaged lists");
        const auto vectors = split(view<uint8_t>(q, SORDINO_TOGETHER * columns, false), columns);
        sordino_sparse_together(view<float>(y, SORDINO_TOGETHER * rows, true), rows, bytes, vectors.data(), rows, columns,
                                blocks);
    });
    m.def("sparse_valid", [](const py::buffer &matrix, int32_t rows, int32_t columns, int32_t blocks) {
        return sordino_sparse_valid(view<uint8_t>(matrix, -1, false), rows, columns, blocks);
    });
}
