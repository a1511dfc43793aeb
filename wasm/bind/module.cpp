// The kernels as the CPython extension sordino._native: streams, channels, echo control, resamplers.
//
// Samples travel in buffers (NumPy arrays, array.array, memoryview) of float32; no NumPy is needed to use the module.
#include "views.h"

#include <pybind11/stl.h>

#include <algorithm>
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
#include "nn/native/gemv.h"
#endif
#include "gen/params.h"
#include "sordino.h"
}

namespace {

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
#define CASE(name, text) \
    case name: return text;
        SORDINO_ERRORS(CASE)
#undef CASE
    default: return "unknown error";
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

    void set_look_ahead(int32_t frames)
    {
        const Busy busy(busy_);
        sordino_set_look_ahead(state(), frames);
    }

    sordino_state *state() const { return reinterpret_cast<sordino_state *>(memory_.get()); }
    std::atomic_flag &busy() { return busy_; }

private:
    py::bytes file_; // streams of one model share its bytes
    std::unique_ptr<uint8_t, Free> copy_, memory_;
    std::atomic_flag busy_ = ATOMIC_FLAG_INIT;
};

// Several streams, hop by hop, each into its own buffer.
void process_together(const std::vector<Stream *> &streams, const std::vector<py::buffer> &outs,
                      const std::vector<py::buffer> &ins)
{
    if (outs.size() != streams.size() || ins.size() != streams.size())
        throw py::value_error("wanted as many buffers as streams");
    std::vector<View<float>> from, to;
    std::vector<sordino_state *> states;
    std::vector<std::unique_ptr<Busy>> busy;
    for (size_t i = 0; i < streams.size(); i++) {
        from.emplace_back(ins[i], i ? from[0].size() : -1, false);
        to.emplace_back(outs[i], from[0].size(), true);
        busy.push_back(std::make_unique<Busy>(streams[i]->busy()));
        states.push_back(streams[i]->state());
    }
    const py::ssize_t samples = from.empty() ? 0 : from[0].size();
    if (samples % HOP) throw py::value_error(std::to_string(samples) + " samples, wanted a multiple of 480");
    const py::gil_scoped_release release;
    for (py::ssize_t n = 0; n < samples; n += HOP) {
        for (size_t i = 0; i < states.size(); i++) sordino_begin(states[i], from[i].data() + n);
        while (sordino_advance_together(states.data(), static_cast<int32_t>(states.size())) > 0) continue;
        for (size_t i = 0; i < states.size(); i++) sordino_finish(states[i], to[i].data() + n);
    }
}

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

class Echo {
public:
    Echo() : memory_(aligned(sordino_echo_bytes())) { sordino_reset_echo(echo()); }

    void cancel(const py::buffer &out, const py::buffer &near, const py::buffer &far)
    {
        const View<float> from(near, -1, false), played(far, from.size(), false), to(out, from.size(), true);
        if (from.size() % HOP) throw py::value_error(std::to_string(from.size()) + " samples, wanted a multiple of 480");
        const Busy busy(busy_);
        const py::gil_scoped_release release;
        for (py::ssize_t n = 0; n < from.size(); n += HOP)
            sordino_cancel(to.data() + n, echo(), from.data() + n, played.data() + n);
    }

    void reset()
    {
        const Busy busy(busy_);
        sordino_reset_echo(echo());
    }

private:
    sordino_echo *echo() const { return reinterpret_cast<sordino_echo *>(memory_.get()); }

    std::unique_ptr<uint8_t, Free> memory_;
    std::atomic_flag busy_ = ATOMIC_FLAG_INIT;
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
            written +=
                sordino_resample(resampler(), to.data() + written, 0, from.data() + n, 0, static_cast<uint32_t>(block));
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

py::list list_of(const float *values, int count)
{
    py::list list;
    for (int i = 0; i < count; i++) list.append(values[i]);
    return list;
}

// A property for each read-out of gen/readouts.h.
void bind_readouts(py::class_<Stream> &stream)
{
#define VALUE(name) stream.def_property_readonly(#name, [](const Stream &s) { return sordino_##name(s.state()); });
#define VECTOR(name, count) \
    stream.def_property_readonly(#name, [](const Stream &s) { return list_of(sordino_##name(s.state()), count); });
    SORDINO_READOUTS(VALUE, VECTOR)
#undef VALUE
#undef VECTOR
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
    m.doc() = "Sordino's kernels: Stream, Channel, Echo, Resampler";
    py::class_<Stream> stream(m, "Stream", "One 48 kHz mono stream through the kernels.");
    stream
        .def(py::init<py::bytes>(), py::arg("weights"),
             "weights: the bytes of a weight file; ValueError says what is wrong.")
        .def("process", &Stream::process, py::arg("out"), py::arg("samples"),
             "float32 buffers of the same length, a multiple of 480; out may be samples.")
        .def("reset", &Stream::reset)
        .def("set_look_ahead", &Stream::set_look_ahead, py::arg("frames"), "At most the model's own; resets the stream.")
        .def("set_post_filter", [](const Stream &s, int32_t passes) { sordino_set_post_filter(s.state(), passes); })
        .def("set_attenuation_limit", [](const Stream &s, float floor) { sordino_set_attenuation_limit(s.state(), floor); })
        .def_property_readonly("latency", [](const Stream &s) { return sordino_latency(s.state()); });
    bind_readouts(stream);
    py::class_<Channel>(m, "Channel", "A channel that is treated as a stream has treated the mean of all channels.")
        .def(py::init<const Stream &>(), py::arg("leader"), py::keep_alive<1, 2>())
        .def("follow", &Channel::follow, py::arg("out"), py::arg("hop"), "float32 buffers of 480 samples.");
    py::class_<Echo>(m, "Echo", "Echo control of one channel; see sordino_cancel.")
        .def(py::init<>())
        .def("cancel", &Echo::cancel, py::arg("out"), py::arg("near"), py::arg("far"),
             "float32 buffers of the same length, a multiple of 480; out may be near.")
        .def("reset", &Echo::reset);
    py::class_<Resampler>(m, "Resampler", "Sample rate conversion of one channel; see sordino_resampler_init.")
        .def(py::init<uint32_t, uint32_t, double>(), py::arg("in_hz"), py::arg("out_hz"), py::arg("delay"))
        .def("process", &Resampler::process, py::arg("out"), py::arg("samples"), "Returns the samples written.")
        .def("reset", &Resampler::reset);
    m.def("process_together", process_together, py::arg("streams"), py::arg("outs"), py::arg("samples"),
          "Different streams of one model, which share the reading of its weights. For each a float32 buffer of the same\n"
          "length, a multiple of 480, in and out; the output is that of each stream alone.");
    m.def("kernels", kernels, "Dot products of this build, the fastest first: name and whether the processor has it.");
    m.def("choose_kernel", choose_kernel, py::arg("name") = static_cast<const char *>(nullptr),
          "Use a dot product by its name, or the fastest; returns its name. Not while a stream is processing.");
    choose_kernel(nullptr);
}
