package mp4

import (
	"errors"
	"fmt"
)

// Tags of the descriptors inside an esds box (ISO/IEC 14496-1).
const (
	tagES              = 0x03
	tagDecoderConfig   = 0x04
	tagDecoderSpecific = 0x05
)

// parseESDescriptor finds the codec string and the real channel count of an AAC track.
func parseESDescriptor(t *Track, esds []byte) error {
	f := fields{data: esds}
	f.versionAndFlags()
	es := fields{data: descriptor(&f, tagES)}
	es.skip(2) // stream id
	flags := es.uint8()
	if flags&0x80 != 0 {
		es.skip(2) // depends on another stream
	}
	if flags&0x40 != 0 {
		es.skip(int(es.uint8())) // URL
	}
	if flags&0x20 != 0 {
		es.skip(2) // clock reference
	}
	decoder := fields{data: descriptor(&es, tagDecoderConfig)}
	objectType := decoder.uint8()
	decoder.skip(12) // stream type, buffer size, bitrates
	specific := fields{data: descriptor(&decoder, tagDecoderSpecific)}
	bits := specific.uint16()
	for _, part := range []*fields{&f, &es, &decoder, &specific} {
		if part.truncated {
			return part.err("esds")
		}
	}
	audioType := bits >> 11
	if audioType == 31 {
		return errors.New("extended audio object types are not supported; use AAC-LC")
	}
	t.Codec = fmt.Sprintf("mp4a.%02x.%d", objectType, audioType)
	if channels := int(bits >> 3 & 0xf); channels > 0 {
		t.Channels = channels
	}
	return nil
}

// descriptor reads one descriptor of the wanted tag; anything else marks f as truncated.
func descriptor(f *fields, tag uint8) []byte {
	if f.uint8() != tag {
		f.truncated = true
		return nil
	}
	length := 0
	for range 4 { // seven bits per byte, the top bit says that more follow
		b := f.uint8()
		length = length<<7 | int(b&0x7f)
		if b&0x80 == 0 {
			break
		}
	}
	return f.take(min(length, len(f.data)+1))
}
