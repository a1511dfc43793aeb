// The kernels as the CPython extension sordino._native: streams, and every stage by its own name for the parity tests.
//
// Samples travel in buffers (NumPy arrays, array.array, memoryview) of float32; no NumPy is needed to use the module.
#include <pybind11/pybind11.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

extern "C" {
#if defined(SORDINO_KERNEL_DISPATCH)
#include "native/gemv.h"
#endif
#include "network.h"
#include "sordino.h"
#include "stages.h"
}

namespace py = pybind11;

namespace {

// The elements of a contiguous buffer; the exporter keeps them in place as long as this lives.
template <class T> class View {
public:
    View(const py::buffer &buffer, py::ssize_t wanted, bool writable) : info_(buffer.request(writable))
    {
        if (info_.itemsize != sizeof(T) || info_.format != py::format_descriptor<T>::format())
            throw py::type_error("buffer of format '" + info_.format + "', wanted '" + py::format_descriptor<T>::format() +
                                 "'");
        py::ssize_t stride = info_.itemsize;
        for (size_t axis = static_cast<size_t>(info_.ndim); axis-- > 0; stride *= info_.shape[axis])
            if (info_.shape[axis] > 1 && info_.strides[axis] != stride) throw py::value_error("buffer is not contiguous");
        if (wanted >= 0 && info_.size != wanted)
            throw py::value_error("buffer of " + std::to_string(info_.size) + " items, wanted " + std::to_string(wanted));
    }

    T *data() const { return static_cast<T *>(info_.ptr); }
    py::ssize_t size() const { return info_.size; }

private:
    py::buffer_info info_;
};

// For stages, which run while the interpreter waits: the caller's buffers stay where they are.
template <class T> T *view(const py::buffer &buffer, py::ssize_t wanted, bool writable)
{
    return View<T>(buffer, wanted, writable).data();
}

// Marks an object as at work, so that a second thread gets an exception instead of a torn state.
class Busy {
public:
    explicit Busy(std::atomic_flag &flag) : flag_(flag)
    {
        if (flag_.test_and_set(std::memory_order_acquire))
            throw std::runtime_error("the stream is in use by another thread; use one stream per thread");
    }
    Busy(const Busy &) = delete;
    Busy &operator=(const Busy &) = delete;
    ~Busy() { flag_.clear(std::memory_order_release); }

private:
    std::atomic_flag &flag_;
};

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
    explicit Stream(py::bytes file) : file_(std::move(file))
    {
        const std::string_view bytes = file_;
        const auto *weights = reinterpret_cast<const uint8_t *>(bytes.data());
        if (reinterpret_cast<uintptr_t>(weights) % SORDINO_ALIGNMENT) {
            copy_ = aligned(bytes.size());
            std::memcpy(copy_.get(), weights, bytes.size());
            weights = copy_.get();
        }
        memory_ = aligned(sordino_state_bytes());
        const int32_t code = sordino_init(state(), weights, static_cast<uint32_t>(bytes.size()));
        if (code != SORDINO_OK) throw py::value_error(reason(code));
    }

    void process(const py::buffer &out, const py::buffer &in)
    {
        const View<float> from(in, -1, false);
        const View<float> to(out, from.size(), true);
        const py::ssize_t samples = from.size();
        if (samples % HOP) throw py::value_error(std::to_string(samples) + " samples, wanted a multiple of 480");
        const Busy busy(busy_);
        const py::gil_scoped_release release;
        for (py::ssize_t n = 0; n < samples; n += HOP) sordino_process(state(), to.data() + n, from.data() + n);
    }

    void reset()
    {
        const Busy busy(busy_);
        sordino_reset(state());
    }

    sordino_state *state() const { return reinterpret_cast<sordino_state *>(memory_.get()); }

private:
    py::bytes file_; // streams of one model share its bytes
    std::unique_ptr<uint8_t, Free> copy_, memory_;
    std::atomic_flag busy_ = ATOMIC_FLAG_INIT;
};

class Channel {
public:
    explicit Channel(const Stream &leader) : leader_(leader.state()), memory_(aligned(sordino_channel_bytes()))
    {
        sordino_join(channel(), leader_);
    }

    void follow(const py::buffer &out, const py::buffer &in)
    {
        sordino_follow(channel(), view<float>(out, HOP, true), view<float>(in, HOP, false), leader_);
    }

private:
    sordino_channel *channel() const { return reinterpret_cast<sordino_channel *>(memory_.get()); }

    const sordino_state *leader_;
    std::unique_ptr<uint8_t, Free> memory_;
};

class Resampler {
public:
    Resampler(uint32_t in_hz, uint32_t out_hz, double delay)
        : ratio_(static_cast<double>(out_hz) / static_cast<double>(in_hz))
    {
        const uint32_t bytes = sordino_resampler_bytes(in_hz, out_hz, 1, delay);
        if (!bytes) throw py::value_error("rates or delay out of range");
        memory_ = aligned(bytes);
        sordino_resampler_init(resampler(), in_hz, out_hz, 1, delay);
    }

    py::ssize_t process(const py::buffer &out, const py::buffer &in)
    {
        const View<float> from(in, -1, false), to(out, -1, true);
        if (static_cast<double>(to.size()) < static_cast<double>(from.size()) * ratio_ + 1)
            throw py::value_error("buffer of " + std::to_string(to.size()) + " items is too small for the output");
        const Busy busy(busy_);
        const py::gil_scoped_release release;
        py::ssize_t written = 0;
        for (py::ssize_t n = 0; n < from.size(); n += SORDINO_RESAMPLER_BLOCK) {
            const py::ssize_t block = std::min<py::ssize_t>(SORDINO_RESAMPLER_BLOCK, from.size() - n);
            written += sordino_resample(resampler(), to.data() + written, 0, from.data() + n, 0, static_cast<uint32_t>(block));
        }
        return written;
    }

    void reset()
    {
        const Busy busy(busy_);
        sordino_resampler_reset(resampler());
    }

private:
    sordino_resampler *resampler() const { return reinterpret_cast<sordino_resampler *>(memory_.get()); }

    double ratio_;
    std::unique_ptr<uint8_t, Free> memory_;
    std::atomic_flag busy_ = ATOMIC_FLAG_INIT;
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
    m.def("sparse_valid", [](const py::buffer &matrix, int32_t rows, int32_t columns, int32_t blocks) {
        return sordino_sparse_valid(view<uint8_t>(matrix, -1, false), rows, columns, blocks);
    });
}

py::dict kernels()
{
    py::dict usable;
#if defined(SORDINO_KERNEL_DISPATCH)
    int32_t count;
    const sordino_kernel *all = sordino_kernels(&count);
    for (int32_t i = 0; i < count; i++) usable[all[i].name] = py::bool_(all[i].usable);
#endif
    return usable;
}

std::string choose_kernel(const char *name)
{
#if defined(SORDINO_KERNEL_DISPATCH)
    const char *chosen = sordino_choose_kernel(name);
    if (!chosen) throw py::value_error(std::string("no kernel called ") + name + " can be used here");
    return chosen;
#else
    if (name) throw py::value_error("this build has one kernel");
    return "simd128";
#endif
}

} // namespace

PYBIND11_MODULE(_native, m)
{
    m.doc() = "Sordino's kernels: Stream, and the stages one by one";
    py::class_<Stream>(m, "Stream", "One 48 kHz mono stream through the kernels.")
        .def(py::init<py::bytes>(), py::arg("weights"), "weights: the bytes of a weight file; ValueError says what is wrong.")
        .def("process", &Stream::process, py::arg("out"), py::arg("samples"),
             "float32 buffers of the same length, a multiple of 480; out may be samples.")
        .def("reset", &Stream::reset)
        .def("set_post_filter", [](const Stream &s, int32_t passes) { sordino_set_post_filter(s.state(), passes); })
        .def("set_attenuation_limit", [](const Stream &s, float floor) { sordino_set_attenuation_limit(s.state(), floor); })
        .def_property_readonly("latency", [](const Stream &s) { return sordino_latency(s.state()); })
        .def_property_readonly("voice", [](const Stream &s) { return sordino_voice(s.state()); })
        .def_property_readonly("gains", [](const Stream &s) { return bands(sordino_gains(s.state())); })
        .def_property_readonly("strengths", [](const Stream &s) { return bands(sordino_strengths(s.state())); })
        .def_property_readonly("pitch_period", [](const Stream &s) { return sordino_pitch_period(s.state()); })
        .def_property_readonly("pitch_correlation", [](const Stream &s) { return sordino_pitch_correlation(s.state()); });
    py::class_<Channel>(m, "Channel", "A channel that is treated as a stream has treated the mean of all channels.")
        .def(py::init<const Stream &>(), py::arg("leader"), py::keep_alive<1, 2>())
        .def("follow", &Channel::follow, py::arg("out"), py::arg("hop"), "float32 buffers of 480 samples.");
    py::class_<Resampler>(m, "Resampler", "Sample rate conversion of one channel; see sordino_resampler_init.")
        .def(py::init<uint32_t, uint32_t, double>(), py::arg("in_hz"), py::arg("out_hz"), py::arg("delay"))
        .def("process", &Resampler::process, py::arg("out"), py::arg("samples"), "Returns the samples written.")
        .def("reset", &Resampler::reset);
    m.def("kernels", kernels, "Dot products of this build, the fastest first: name and whether the processor has it.");
    m.def("choose_kernel", choose_kernel, py::arg("name") = static_cast<const char *>(nullptr),
          "Use a dot product by its name, or the fastest; returns its name. Not while a stream is processing.");
    choose_kernel(nullptr);
    bind_stages(m.def_submodule("stages", "The stages of the chain; see wasm/stages.h."));
}
