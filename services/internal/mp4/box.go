// Package mp4 reads the parts of fragmented MP4 (ISO/IEC 14496-12) that playlists and checks need:
// codec strings, picture size, channels, and when each segment starts and ends.
package mp4

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrTruncated says that a box claims more bytes than the data has.
var ErrTruncated = errors.New("mp4 data is truncated")

// A box is one length-prefixed part of the file without its header.
type box struct {
	kind string
	body []byte
}

// nextBox splits the first box from data and returns what follows it.
func nextBox(data []byte) (first box, rest []byte, err error) {
	if len(data) < 8 {
		return box{}, nil, fmt.Errorf("box header of %d bytes: %w", len(data), ErrTruncated)
	}
	size, header := uint64(binary.BigEndian.Uint32(data)), uint64(8)
	kind := string(data[4:8])
	switch size {
	case 0: // the box reaches to the end of the file
		size = uint64(len(data))
	case 1: // a 64-bit size follows
		if len(data) < 16 {
			return box{}, nil, fmt.Errorf("box %q: %w", kind, ErrTruncated)
		}
		size, header = binary.BigEndian.Uint64(data[8:]), 16
	}
	if size < header {
		return box{}, nil, fmt.Errorf("box %q has the impossible size %d", kind, size)
	}
	if size > uint64(len(data)) {
		return box{}, nil, fmt.Errorf("box %q needs %d bytes, %d are left: %w", kind, size, len(data), ErrTruncated)
	}
	return box{kind: kind, body: data[header:size]}, data[size:], nil
}

// boxesOf splits data into all its boxes.
func boxesOf(data []byte) ([]box, error) {
	var all []box
	for len(data) > 0 {
		one, rest, err := nextBox(data)
		if err != nil {
			return nil, err
		}
		all, data = append(all, one), rest
	}
	return all, nil
}

// find walks down to the first box at a path such as moov, trak, mdia.
func find(data []byte, path ...string) ([]byte, error) {
	for _, kind := range path {
		inner, err := child(data, kind)
		if err != nil {
			return nil, err
		}
		data = inner
	}
	return data, nil
}

func child(data []byte, kind string) ([]byte, error) {
	for len(data) > 0 {
		one, rest, err := nextBox(data)
		if err != nil {
			return nil, err
		}
		if one.kind == kind {
			return one.body, nil
		}
		data = rest
	}
	return nil, fmt.Errorf("box %q is missing", kind)
}

// fields reads big-endian numbers in order and remembers whether the data was too short.
type fields struct {
	data      []byte
	truncated bool
}

func (f *fields) skip(n int) { f.take(n) }

func (f *fields) take(n int) []byte {
	if n > len(f.data) {
		f.truncated, f.data = true, nil
		return make([]byte, n)
	}
	taken := f.data[:n]
	f.data = f.data[n:]
	return taken
}

func (f *fields) uint8() uint8   { return f.take(1)[0] }
func (f *fields) uint16() uint16 { return binary.BigEndian.Uint16(f.take(2)) }
func (f *fields) uint32() uint32 { return binary.BigEndian.Uint32(f.take(4)) }
func (f *fields) uint64() uint64 { return binary.BigEndian.Uint64(f.take(8)) }

// versionAndFlags reads the word that starts every full box.
func (f *fields) versionAndFlags() (version uint8, flags uint32) {
	word := f.uint32()
	return uint8(word >> 24), word & 0xffffff
}

// sized reads a number that is 64 bits wide from version 1 of its box on.
func (f *fields) sized(version uint8) uint64 {
	if version == 0 {
		return uint64(f.uint32())
	}
	return f.uint64()
}

func (f *fields) err(kind string) error {
	if f.truncated {
		return fmt.Errorf("box %q: %w", kind, ErrTruncated)
	}
	return nil
}
