package telemetry

import (
	"io"
	"net/http"
)

// Recorder remembers what was written through it. It keeps the kernel's file sending and the response controller working.
type Recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

// Record wraps a response writer.
func Record(w http.ResponseWriter) *Recorder { return &Recorder{ResponseWriter: w} }

// Status is the status code, 200 when the handler never said.
func (r *Recorder) Status() int {
	if r.status == 0 {
		return http.StatusOK
	}
	return r.status
}

// Bytes is the size of the body so far.
func (r *Recorder) Bytes() int64 { return r.bytes }

// WriteHeader remembers the first final status.
func (r *Recorder) WriteHeader(status int) {
	if r.status == 0 && status >= http.StatusOK {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

// Write counts.
func (r *Recorder) Write(data []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	n, err := r.ResponseWriter.Write(data)
	r.bytes += int64(n)
	return n, err
}

// ReadFrom lets the connection below read from a file by itself (sendfile).
func (r *Recorder) ReadFrom(source io.Reader) (int64, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	n, err := io.Copy(r.ResponseWriter, source)
	r.bytes += n
	return n, err
}

// Unwrap is for http.ResponseController.
func (r *Recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
