// The kernels as the CPython extension sordino._native: streams, and every stage by its own name for the parity tests.
//
// Samples travel in buffers (NumPy arrays, array.array, memoryview) of float32; no NumPy is needed to use the module.
#include <pybind11/pybind11.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

extern "C" {
#include "network.h"
#include "sordino.h"
#include "stages.h"
}

namespace py = pybind11;

namespace {

template <class T> T *view(const py::buffer &buffer, py::ssize_t wanted, bool writable)
{
    const py::buffer_info info = buffer.request(writable);
    if (info.itemsize != sizeof(T) || info.format != py::format_descriptor<T>::format())
        throw py::type_error("buffer of format '" + info.format + "', wanted '" + py::format_descriptor<T>::format() + "'");
    py::ssize_t stride = info.itemsize;
    for (py::ssize_t axis = info.ndim; axis-- > 0; stride *= info.shape[static_cast<size_t>(axis)])
        if (info.shape[static_cast<size_t>(axis)] > 1 && info.strides[static_cast<size_t>(axis)] != stride)
            throw py::value_error("buffer is not contiguous");
    if (wanted >= 0 && info.size != wanted)
        throw py::value_error("buffer of " + std::to_string(info.size) + " items, wanted " + std::to_string(wanted));
    return static_cast<T *>(info.ptr);
}

const char *reason(int32_t code)
{
    switch (code) {
    case SORDINO_NOT_A_WEIGHT_FILE: return "not a Sordino weight file";
    case SORDINO_WRONG_VERSION: return "a weight file of another format version";
    case SORDINO_WRONG_SIZE: return "a truncated or overlong weight file";
    case SORDINO_WRONG_CHECKSUM: return "a damaged weight file (wrong checksum)";
    default: return "a weight file for a network that this build does not know";
    }
}

struct Free {
    void operator()(void *p) const { std::free(p); }
};

std::unique_ptr<uint8_t, Free> aligned(size_t bytes)
{
    const size_t rounded = (bytes + SORDINO_ALIGNMENT - 1) / SORDINO_ALIGNMENT * SORDINO_ALIGNMENT;
    void *memory = std::aligned_alloc(SORDINO_ALIGNMENT, rounded);
    if (!memory) throw std::bad_alloc();
    return std::unique_ptr<uint8_t, Free>(static_cast<uint8_t *>(memory));
}

class Stream {
public:
    explicit Stream(const py::bytes &file)
    {
        const std::string_view bytes = file;
        weights_ = aligned(bytes.size());
        std::memcpy(weights_.get(), bytes.data(), bytes.size());
        memory_ = aligned(sordino_state_bytes());
        const int32_t code = sordino_init(state(), weights_.get(), static_cast<uint32_t>(bytes.size()));
        if (code != SORDINO_OK) throw py::value_error(reason(code));
    }

    void process(const py::buffer &out, const py::buffer &in)
    {
        const float *from = view<float>(in, -1, false);
        const py::ssize_t samples = in.request().size;
        float *to = view<float>(out, samples, true);
        if (samples % HOP) throw py::value_error(std::to_string(samples) + " samples, wanted a multiple of 480");
        const py::gil_scoped_release release;
        for (py::ssize_t n = 0; n < samples; n += HOP) sordino_process(state(), to + n, from + n);
    }

    sordino_state *state() const { return reinterpret_cast<sordino_state *>(memory_.get()); }

private:
    std::unique_ptr<uint8_t, Free> weights_, memory_;
};

py::list bands(const float *values)
{
    py::list list;
    for (int b = 0; b < BANDS; b++) list.append(values[b]);
    return list;
}

// A stage that takes `sizes.size()` float buffers, the first `outputs` of them written.
template <class... A>
void bind(py::module_ &m, const char *name, void (*stage)(A...), std::array<py::ssize_t, sizeof...(A)> sizes, size_t outputs)
{
    m.def(name, [=](py::args args) {
        if (args.size() != sizeof...(A)) throw py::type_error(std::string(name) + ": wrong number of buffers");
        std::array<float *, sizeof...(A)> at;
        for (size_t i = 0; i < sizeof...(A); i++) at[i] = view<float>(args[i].cast<py::buffer>(), sizes[i], i < outputs);
        [&]<size_t... I>(std::index_sequence<I...>) { stage(at[I]...); }(std::make_index_sequence<sizeof...(A)>());
    });
}

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
    bind(m, "postfilter", sordino_postfilter, {bands, bands, bands}, 1);
    bind(m, "mix_comb", sordino_mix_comb, {bins, bins, bins, bins, bands}, 2);
    bind(m, "apply_gains", sordino_apply_gains, {bins, bins, bands, bands}, 2);
    m.def("track", [](const py::buffer &score, const py::buffer &origin, const py::buffer &correlation) {
        sordino_track(view<float>(score, LAGS, true), view<uint8_t>(origin, LAGS, true), view<float>(correlation, LAGS, false));
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
}

} // namespace

PYBIND11_MODULE(_native, m)
{
    m.doc() = "Sordino's kernels: Stream, and the stages one by one";
    py::class_<Stream>(m, "Stream", "One 48 kHz mono stream through the kernels.")
        .def(py::init<py::bytes>(), py::arg("weights"), "weights: the bytes of a weight file; ValueError says what is wrong.")
        .def("process", &Stream::process, py::arg("out"), py::arg("samples"),
             "float32 buffers of the same length, a multiple of 480; out may be samples.")
        .def("reset", [](const Stream &s) { sordino_reset(s.state()); })
        .def("set_post_filter", [](const Stream &s, bool on) { sordino_set_post_filter(s.state(), on); })
        .def("set_attenuation_limit", [](const Stream &s, float floor) { sordino_set_attenuation_limit(s.state(), floor); })
        .def_property_readonly("latency", [](const Stream &s) { return sordino_latency(s.state()); })
        .def_property_readonly("voice", [](const Stream &s) { return sordino_voice(s.state()); })
        .def_property_readonly("gains", [](const Stream &s) { return bands(sordino_gains(s.state())); })
        .def_property_readonly("strengths", [](const Stream &s) { return bands(sordino_strengths(s.state())); })
        .def_property_readonly("pitch_period", [](const Stream &s) { return sordino_pitch_period(s.state()); })
        .def_property_readonly("pitch_correlation", [](const Stream &s) { return sordino_pitch_correlation(s.state()); });
    bind_stages(m.def_submodule("stages", "The stages of the chain; see wasm/stages.h."));
}
