package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

// bench is one run.
type bench struct {
	settings settings
	plane    *plane
	log      *slog.Logger
	now      func() time.Time

	operator  *operator
	blueprint blueprint
	platforms []string // of the namespace bench
}

// measure runs everything in order: numbers of an empty operator, of growing numbers of platforms, of all of them.
func (b *bench) measure(ctx context.Context) (r report, err error) {
	r = newReport(b.settings, b.now())
	if b.operator, err = startOperator(ctx, b.plane, b.settings); err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, b.operator.stop()) }()
	b.log.Info("Recording the objects of one platform")
	if b.blueprint, err = b.record(ctx); err != nil {
		return r, err
	}
	r.ObjectsPerPlatform = len(b.blueprint.objects)
	empty, err := b.restart(ctx)
	if err != nil {
		return r, err
	}
	for _, n := range b.settings.sizes {
		b.log.Info("Creating platforms", "number", n)
		c, err := b.create(ctx, n)
		if err != nil {
			return r, err
		}
		r.Create = append(r.Create, c)
	}
	if err := b.steps(ctx, &r); err != nil {
		return r, err
	}
	b.log.Info("Restarting the operator", "platforms", len(b.platforms))
	full, err := b.restart(ctx)
	if err != nil {
		return r, err
	}
	r.Restart = full.restart
	r.Memory = memoryOf(empty.usage, full.usage, len(b.platforms))
	r.judge()
	return r, nil
}

// steps are what is measured once all platforms exist.
func (b *bench) steps(ctx context.Context, r *report) (err error) {
	r.Platforms = len(b.platforms)
	b.log.Info("Counting requests while nothing changes", "platforms", r.Platforms, "time", b.settings.idle)
	if r.Idle, err = b.idle(ctx); err != nil {
		return err
	}
	b.log.Info("Changing images")
	if r.ImageChange, err = b.changeImages(ctx); err != nil {
		return err
	}
	b.log.Info("Meddling with objects")
	r.Drift, err = b.drift(ctx)
	return err
}

// create has the loop make half of the platforms before the operator and half after it, because the machine may have
// other things to do now and then.
func (b *bench) create(ctx context.Context, n int) (creation, error) {
	before, err := b.runLoop(ctx, "x", n/2)
	if err != nil {
		return creation{}, err
	}
	c, err := b.createAll(ctx, n)
	if err != nil {
		return creation{}, err
	}
	after, err := b.runLoop(ctx, "y", n-n/2)
	c.LoopSeconds = (before + after).Seconds()
	c.Ratio = c.LoopSeconds / c.Seconds
	b.log.Info("Created", "seconds", c.Seconds, "loop", c.LoopSeconds)
	return c, err
}

// createAll makes platforms at once and waits until each object of each of them was applied.
func (b *bench) createAll(ctx context.Context, n int) (creation, error) {
	batch := make([]string, n)
	for i := range batch {
		batch[i] = fmt.Sprintf("b%dn%04d", n, i)
	}
	mark := b.plane.audit.mark()
	if err := b.createPlatforms(ctx, batch); err != nil {
		return creation{}, err
	}
	progress := newBirths(len(b.blueprint.objects) * n)
	if err := b.await(ctx, mark, progress.see); err != nil {
		return creation{}, fmt.Errorf("create %d platforms: %w", n, err)
	}
	if err := b.plane.audit.quiet(ctx); err != nil {
		return creation{}, err
	}
	events, err := b.plane.audit.since(mark)
	if err != nil {
		return creation{}, err
	}
	b.platforms = append(b.platforms, batch...)
	return progress.creation(n, count(events)), nil
}

func (b *bench) createPlatforms(ctx context.Context, names []string) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(b.settings.workers)
	for _, name := range names {
		group.Go(func() error { return b.createPlatform(ctx, benchNamespace, name) })
	}
	return group.Wait()
}

func (b *bench) createPlatform(ctx context.Context, namespace, name string) error {
	p := &v1alpha1.StreamingPlatform{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	if err := b.plane.people.Create(ctx, p); err != nil {
		return fmt.Errorf("create platform %s: %w", name, err)
	}
	return nil
}

// await gives up on events that never come.
func (b *bench) await(ctx context.Context, mark int, last func(event) bool) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return b.plane.audit.await(ctx, mark, last)
}

// idle counts what the operator asks for and writes while nobody changes anything.
func (b *bench) idle(ctx context.Context) (idling, error) {
	if err := b.plane.audit.quiet(ctx); err != nil {
		return idling{}, err
	}
	mark := b.plane.audit.mark()
	select {
	case <-ctx.Done():
		return idling{}, fmt.Errorf("wait: %w", ctx.Err())
	case <-time.After(b.settings.idle):
	}
	events, err := b.plane.audit.since(mark)
	return idling{Seconds: b.settings.idle.Seconds(), Requests: count(events)}, err
}

// restarted is what a new process did until it had nothing to do.
type restarted struct {
	restart
	usage
}

// restart replaces the operator by a new process that knows nothing.
func (b *bench) restart(ctx context.Context) (restarted, error) {
	if err := b.operator.stop(); err != nil {
		return restarted{}, err
	}
	began, mark := b.now(), b.plane.audit.mark()
	var err error
	if b.operator, err = startOperator(ctx, b.plane, b.settings); err != nil {
		return restarted{}, err
	}
	platforms := len(b.platforms) + 1 // the model
	if err := b.operator.settled(ctx, platforms, platforms*b.blueprint.microservices()); err != nil {
		return restarted{}, err
	}
	took := b.now().Sub(began)
	if err := b.plane.audit.quiet(ctx); err != nil {
		return restarted{}, err
	}
	events, err := b.plane.audit.since(mark)
	if err != nil {
		return restarted{}, err
	}
	u, err := b.operator.usage(ctx)
	return restarted{restart{Seconds: took.Seconds(), Requests: count(events)}, u}, err
}
