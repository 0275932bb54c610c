// Package mp4test builds small fragmented MP4 files for tests, box by box.
package mp4test

import (
	"encoding/binary"
	"slices"
)

// Box wraps a payload in a box header.
func Box(kind string, payload ...[]byte) []byte {
	body := slices.Concat(payload...)
	return slices.Concat(Uint32(uint32(8+len(body))), []byte(kind), body)
}

// Uint32 is a big-endian word.
func Uint32(v uint32) []byte { return binary.BigEndian.AppendUint32(nil, v) }

// Uint64 is a big-endian double word.
func Uint64(v uint64) []byte { return binary.BigEndian.AppendUint64(nil, v) }

func uint16s(values ...uint16) []byte {
	var out []byte
	for _, v := range values {
		out = binary.BigEndian.AppendUint16(out, v)
	}
	return out
}

// VideoInit is an initialization segment of a 1280x720 H.264 track with the id 1 and 12800 ticks per second.
func VideoInit() []byte {
	entry := Box("avc1", make([]byte, 24), uint16s(1280, 720), make([]byte, 50),
		Box("avcC", []byte{1, 0x64, 0x00, 0x1f, 0xff, 0xe0, 0x00}))
	return Init(12800, entry)
}

// AudioInit is an initialization segment of a stereo AAC-LC track with the id 1 and 48000 ticks per second.
func AudioInit() []byte {
	esds := slices.Concat(Uint32(0),
		[]byte{0x03, 0x80, 0x80, 0x80, 0x19, 0, 1, 0}, // stream descriptor with a four-byte length
		[]byte{0x04, 0x11, 0x40}, make([]byte, 12),    // decoder: MPEG-4 audio
		[]byte{0x05, 0x02, 0x11, 0x90}, []byte{0x06, 0x01, 0x02})
	entry := Box("mp4a", make([]byte, 16), uint16s(2, 16, 0, 0), Uint32(48000<<16), Box("esds", esds))
	return Init(48000, entry)
}

// Init is an initialization segment of one track with any sample entry.
func Init(timescale uint32, entry []byte) []byte {
	return slices.Concat(
		Box("ftyp", []byte("iso5"), Uint32(512)),
		Box("moov", Box("mvhd", make([]byte, 100)), Track(timescale, entry),
			Box("mvex", Box("trex", make([]byte, 4), Uint32(1), Uint32(1), make([]byte, 12)))))
}

// Track is the trak box of Init.
func Track(timescale uint32, entry []byte) []byte {
	return Box("trak",
		Box("tkhd", make([]byte, 12), Uint32(1), make([]byte, 68)),
		Box("mdia",
			Box("mdhd", make([]byte, 12), Uint32(timescale), make([]byte, 8)),
			Box("minf", Box("stbl", Box("stsd", Uint32(0), Uint32(1), entry)))))
}

// Sample flags of the first sample of a fragment.
const (
	KeyFrame    = 0x02000000
	NotKeyFrame = 0x01010000
)

// Fragment is one moof and mdat pair of samples that all last the same.
func Fragment(start uint64, count, ticks, firstFlags uint32) []byte {
	return slices.Concat(
		Box("moof", Box("mfhd", make([]byte, 8)), Box("traf",
			Box("tfhd", Uint32(0x20028), Uint32(1), Uint32(ticks), Uint32(NotKeyFrame)), // default duration and flags
			Box("tfdt", Uint32(1<<24), Uint64(start)),
			Box("trun", Uint32(0x05), Uint32(count), Uint32(0), Uint32(firstFlags)))), // data offset and first flags
		Box("mdat", make([]byte, 16)))
}
