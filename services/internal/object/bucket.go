package object

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// Bucket is a Store in an S3 bucket.
type Bucket struct {
	client         *minio.Client
	bucket, prefix string
}

// openBucket reads the bucket, the prefix and the server from a URL. The keys come from the usual variables
// AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; without them the bucket is read anonymously.
func openBucket(location *url.URL, getenv func(string) string) (*Bucket, error) {
	endpoint, err := url.Parse(location.Query().Get("endpoint"))
	if err != nil || endpoint.Host == "" || (endpoint.Scheme != "http" && endpoint.Scheme != "https") {
		return nil, errors.New("add the server to the bucket: s3://bucket/prefix?endpoint=https://host")
	}
	if location.Host == "" {
		return nil, errors.New("name the bucket: s3://bucket/prefix?endpoint=https://host")
	}
	client, err := minio.New(endpoint.Host, &minio.Options{
		Creds:        credentials.NewStaticV4(getenv("AWS_ACCESS_KEY_ID"), getenv("AWS_SECRET_ACCESS_KEY"), getenv("AWS_SESSION_TOKEN")),
		Secure:       endpoint.Scheme == "https",
		Region:       location.Query().Get("region"),
		BucketLookup: minio.BucketLookupPath,
	})
	if err != nil {
		return nil, fmt.Errorf("set up the S3 client: %w", err)
	}
	return &Bucket{client: client, bucket: location.Host, prefix: strings.Trim(location.Path, "/")}, nil
}

// Open asks for the facts of an object; its bytes are asked for when they are read.
func (b *Bucket) Open(ctx context.Context, name string) (*Object, error) {
	if !valid(name) {
		return nil, ErrNotFound
	}
	key := path.Join(b.prefix, name)
	info, err := b.client.StatObject(ctx, b.bucket, key, minio.StatObjectOptions{})
	if err != nil {
		return nil, bucketError("find object", err)
	}
	content := &rangeReader{open: b.rangeOpener(ctx, key, info.ETag), size: info.Size}
	return &Object{Content: content, Size: info.Size, ModTime: info.LastModified, ETag: `"` + strings.Trim(info.ETag, `"`) + `"`}, nil
}

// rangeOpener reads on from an offset, and fails if the object was replaced since it was opened.
func (b *Bucket) rangeOpener(ctx context.Context, key, etag string) func(int64) (io.ReadCloser, error) {
	return func(offset int64) (io.ReadCloser, error) {
		options := minio.GetObjectOptions{}
		if err := options.SetMatchETag(etag); err != nil {
			return nil, fmt.Errorf("pin the object's version: %w", err)
		}
		if offset > 0 {
			if err := options.SetRange(offset, 0); err != nil {
				return nil, fmt.Errorf("set the range: %w", err)
			}
		}
		core := minio.Core{Client: b.client}
		body, _, _, err := core.GetObject(ctx, b.bucket, key, options)
		if err != nil {
			return nil, bucketError("read object", err)
		}
		return body, nil
	}
}

// Folders lists the common prefixes below the root.
func (b *Bucket) Folders(ctx context.Context) ([]string, error) {
	root := b.prefix
	if root != "" {
		root += "/"
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends the listing when we leave early
	var names []string
	for item := range b.client.ListObjects(ctx, b.bucket, minio.ListObjectsOptions{Prefix: root}) {
		if item.Err != nil {
			return nil, bucketError("list bucket", item.Err)
		}
		if name, isFolder := strings.CutSuffix(strings.TrimPrefix(item.Key, root), "/"); isFolder && name != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

func bucketError(action string, err error) error {
	response := minio.ToErrorResponse(err)
	if response.StatusCode == http.StatusNotFound && response.Code != "NoSuchBucket" {
		return fmt.Errorf("%w: %w", ErrNotFound, err)
	}
	return fmt.Errorf("%s: %w", action, err)
}

// rangeReader turns range requests into a file-like reader. It asks only when bytes are wanted.
type rangeReader struct {
	open         func(offset int64) (io.ReadCloser, error)
	size, offset int64
	body         io.ReadCloser
}

func (r *rangeReader) Read(into []byte) (int, error) {
	if r.offset >= r.size {
		return 0, io.EOF
	}
	if r.body == nil {
		body, err := r.open(r.offset)
		if err != nil {
			return 0, err
		}
		r.body = body
	}
	n, err := r.body.Read(into)
	r.offset += int64(n)
	if errors.Is(err, io.EOF) && r.offset < r.size {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

func (r *rangeReader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += r.offset
	case io.SeekEnd:
		offset += r.size
	}
	if offset < 0 {
		return 0, errors.New("seek before the start of the object")
	}
	if offset == r.offset {
		return offset, nil
	}
	r.offset = offset
	return offset, r.Close()
}

func (r *rangeReader) Close() error {
	if r.body == nil {
		return nil
	}
	body := r.body
	r.body = nil
	return body.Close()
}
