package main

import "sync"

const bufferBytes = 64 << 10

// buffers lends copy buffers to the media proxy.
type buffers struct{ pool sync.Pool }

func newBuffers() *buffers {
	return &buffers{pool: sync.Pool{New: func() any { return new([bufferBytes]byte) }}}
}

// Get borrows a buffer.
func (b *buffers) Get() []byte {
	return b.pool.Get().(*[bufferBytes]byte)[:]
}

// Put takes a buffer back.
func (b *buffers) Put(buffer []byte) {
	if len(buffer) == bufferBytes {
		b.pool.Put((*[bufferBytes]byte)(buffer))
	}
}
