// The view of a Python buffer.
#ifndef SORDINO_VIEWS_H
#define SORDINO_VIEWS_H

#include <pybind11/pybind11.h>

#include <string>

namespace py = pybind11;

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

// For work that is short, while the interpreter waits: the caller's buffers stay where they are.
template <class T> T *view(const py::buffer &buffer, py::ssize_t wanted, bool writable)
{
    return View<T>(buffer, wanted, writable).data();
}

#endif
