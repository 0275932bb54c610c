package serve

import (
	"context"
	"math/rand/v2"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// aging says goodbye to long-lived connections with "Connection: close", so that callers connect again,
// perhaps to a pod that is newer than the connection.
type aging struct {
	limit   time.Duration
	leaving atomic.Bool
}

func newAging(limit time.Duration) *aging { return &aging{limit: limit} }

type expiryKey struct{}

// mark gives a new connection its age limit, shortened by up to a fifth so that connections do not end together.
func (a *aging) mark(ctx context.Context, _ net.Conn) context.Context {
	if a.limit <= 0 {
		return ctx
	}
	var expired atomic.Bool
	time.AfterFunc(a.limit-rand.N(a.limit/5+1), func() { expired.Store(true) }) //nolint:gosec // jitter needs no secret
	return context.WithValue(ctx, expiryKey{}, &expired)
}

// closeAll makes every connection old.
func (a *aging) closeAll() { a.leaving.Store(true) }

func (a *aging) handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		expired, _ := r.Context().Value(expiryKey{}).(*atomic.Bool)
		if a.leaving.Load() || expired != nil && expired.Load() {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}
