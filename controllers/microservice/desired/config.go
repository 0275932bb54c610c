package desired

import (
	"strings"

	appsv1 "k8s.io/api/apps/v1"
)

const (
	// AnnotationConfig of a pod template stands for the content of the
	// ConfigMaps and Secrets that the pods use: they roll when it changes.
	AnnotationConfig = ownPrefix + "config-hash"
	// AnnotationConfigBaseline of a Deployment says "stamp=sum": which content a
	// pod template with the annotation stamp has, where the stamp does not say so
	// itself. Pods that ran before anybody looked have no stamp.
	AnnotationConfigBaseline = ownPrefix + "config-baseline"
)

// Config is what is remembered of the ConfigMaps and Secrets of a service.
type Config struct {
	// Stamp of the pod template.
	Stamp string
	// Baseline of the Deployment.
	Baseline string
}

// ConfigOf compares the content now, as a sum, with what the pods of a
// Deployment were made for. A new stamp, which rolls them, comes only of a
// content that is known to be another: not where sums do not compare, and not
// while now is not known, which is "".
func ConfigOf(d *appsv1.Deployment, now string) Config {
	if d == nil {
		return Config{Stamp: now}
	}
	c := Config{Stamp: d.Spec.Template.Annotations[AnnotationConfig], Baseline: d.Annotations[AnnotationConfigBaseline]}
	if now == "" {
		return c
	}
	was := c.Stamp
	stamp, sum, _ := strings.Cut(c.Baseline, "=")
	if !compare(was, now) && stamp == c.Stamp {
		was = sum
	}
	switch {
	case !compare(was, now):
		c.Baseline = c.Stamp + "=" + now
	case was == now:
	case sum == now: // back to what it was
		c.Stamp = stamp
	default:
		c.Stamp = now
	}
	return c
}

// compare says whether two sums are of the same references and key.
func compare(a, b string) bool {
	i, j := strings.LastIndex(a, "-"), strings.LastIndex(b, "-")
	return i > 0 && j > 0 && a[:i] == b[:j]
}

func annotate(all *map[string]string, key, value string) {
	if value == "" {
		return
	}
	if *all == nil {
		*all = map[string]string{}
	}
	(*all)[key] = value
}
