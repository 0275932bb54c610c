// Package object reads media from wherever it lives: a folder or an S3 bucket.
package object

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"time"
)

// ErrNotFound says that there is no object of that name.
var ErrNotFound = errors.New("object not found")

// Store is a read-only place of named objects. Names are slash-separated, without leading slash or dot segments;
// any other name is not found. Implementations are safe for concurrent use and pass objecttest.Run.
type Store interface {
	// Open finds one object. The caller closes it.
	Open(ctx context.Context, name string) (*Object, error)
	// Folders lists the folders right below the root, in order.
	Folders(ctx context.Context) ([]string, error)
}

// Object is one open object.
type Object struct {
	// Content is an *os.File for folders, so that the kernel can send it without copying.
	Content io.ReadSeekCloser
	Size    int64
	// ETag is a strong validator in quotes, the same on every replica.
	ETag    string
	ModTime time.Time
}

// Close releases the content.
func (o *Object) Close() error { return o.Content.Close() }

// OpenStore opens the store that a URL names: file:///folder or s3://bucket/prefix?endpoint=http://host:9000&region=us-east-1.
func OpenStore(location string, getenv func(string) string) (Store, error) {
	parsed, err := url.Parse(location)
	if err != nil {
		return nil, fmt.Errorf("parse media location: %w", err)
	}
	switch parsed.Scheme {
	case "file":
		if parsed.Host != "" || parsed.Path == "" {
			return nil, errors.New("use an absolute folder such as file:///media")
		}
		return OpenFolder(parsed.Path)
	case "s3":
		return openBucket(parsed, getenv)
	}
	return nil, errors.New("use file:///folder or s3://bucket/prefix?endpoint=http://host:9000")
}

func valid(name string) bool { return name != "." && fs.ValidPath(name) }
