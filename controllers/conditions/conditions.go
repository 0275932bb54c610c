// Package conditions writes the three conditions of the kstatus contract from
// one summary, so that they can never contradict each other.
package conditions

import (
	"unicode/utf8"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

// maxMessage bounds messages in bytes, well under the API's limit of 32768.
const maxMessage = 512

// Summary says whether a resource is ready and, if not, why and what follows.
type Summary struct {
	// Kind is the condition that accompanies Ready=False: Reconciling or
	// Stalled. Empty means that the resource is ready.
	Kind    string
	Reason  string
	Message string
}

// Ready says that the resource is as wanted.
func Ready(reason, message string) Summary {
	return Summary{Reason: reason, Message: message}
}

// Reconciling says that the resource will get ready without help.
func Reconciling(reason, message string) Summary {
	return Summary{Kind: v1alpha1.ConditionReconciling, Reason: reason, Message: message}
}

// Stalled says that somebody must act before the resource can get ready.
func Stalled(reason, message string) Summary {
	return Summary{Kind: v1alpha1.ConditionStalled, Reason: reason, Message: message}
}

// Set writes the summary as conditions of the given generation. Reconciling
// and Stalled exist only while they are true.
func Set(all *[]metav1.Condition, generation int64, s Summary) {
	ready := metav1.ConditionTrue
	if s.Kind != "" {
		ready = metav1.ConditionFalse
	}
	message := Shorten(s.Message)
	apimeta.SetStatusCondition(all, metav1.Condition{
		Type: v1alpha1.ConditionReady, Status: ready, ObservedGeneration: generation,
		Reason: s.Reason, Message: message,
	})
	for _, kind := range []string{v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled} {
		if kind != s.Kind {
			apimeta.RemoveStatusCondition(all, kind)
			continue
		}
		apimeta.SetStatusCondition(all, metav1.Condition{
			Type: kind, Status: metav1.ConditionTrue, ObservedGeneration: generation,
			Reason: s.Reason, Message: message,
		})
	}
}

// Put writes a condition beside the summary, or removes it when c is nil.
func Put(all *[]metav1.Condition, generation int64, kind string, c *metav1.Condition) {
	if c == nil {
		apimeta.RemoveStatusCondition(all, kind)
		return
	}
	apimeta.SetStatusCondition(all, metav1.Condition{
		Type: kind, Status: c.Status, ObservedGeneration: generation, Reason: c.Reason, Message: Shorten(c.Message),
	})
}

// Shorten cuts a message to at most 512 bytes at the border of a character.
func Shorten(message string) string { return ShortenBefore(message, "") }

// ShortenBefore cuts a message so that with the tail it has at most 512 bytes.
// The tail stays whole.
func ShortenBefore(message, tail string) string {
	limit := maxMessage - len(tail)
	if len(message) <= limit {
		return message + tail
	}
	end := max(0, limit-len("…"))
	for end > 0 && !utf8.RuneStart(message[end]) {
		end--
	}
	return message[:end] + "…" + tail
}
