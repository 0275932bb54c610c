package conditions

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

// EditsShown is how long a status tells of an edit that was set back.
const EditsShown = time.Hour

// PutEdits tells what was set back; advice has a sentence for each. Without any
// it keeps what it told before, until the time is over or the resource has
// changed: whoever changes it has read it.
func PutEdits(all *[]metav1.Condition, generation int64, advice []string, now time.Time) {
	if len(advice) == 0 {
		if editsLeft(*all, generation, now) == 0 {
			apimeta.RemoveStatusCondition(all, v1alpha1.ConditionEditReverted)
		}
		return
	}
	tail := ""
	if more := len(advice) - 1; more > 0 {
		tail = fmt.Sprintf("; and %d more", more)
	}
	told := metav1.Condition{
		Type: v1alpha1.ConditionEditReverted, Status: metav1.ConditionTrue, ObservedGeneration: generation,
		Reason: v1alpha1.ReasonEditedByOthers, Message: ShortenBefore(advice[0], tail), LastTransitionTime: metav1.NewTime(now),
	}
	if before := apimeta.FindStatusCondition(*all, told.Type); before != nil && before.Message != told.Message {
		apimeta.RemoveStatusCondition(all, told.Type) // its time begins anew
	}
	apimeta.SetStatusCondition(all, told)
}

// Patch writes a status. One that is computed from a lagging cache must not take
// back what an earlier one tells of edits, which nobody can find out again; one
// that has edits to tell is written in any case.
func Patch(before client.Object, edits int) client.Patch {
	if edits > 0 {
		return client.MergeFrom(before)
	}
	return client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
}

// EditsLeft is after which time the status needs another look; 0 when it tells
// of no edit.
func EditsLeft(all []metav1.Condition, now time.Time) time.Duration {
	c := apimeta.FindStatusCondition(all, v1alpha1.ConditionEditReverted)
	if c == nil {
		return 0
	}
	return max(time.Second, EditsShown-now.Sub(c.LastTransitionTime.Time))
}

func editsLeft(all []metav1.Condition, generation int64, now time.Time) time.Duration {
	c := apimeta.FindStatusCondition(all, v1alpha1.ConditionEditReverted)
	if c == nil || c.ObservedGeneration != generation {
		return 0
	}
	return max(0, EditsShown-now.Sub(c.LastTransitionTime.Time))
}

// AnnounceEdits records an event when the status tells of another edit.
func AnnounceEdits(recorder events.EventRecorder, about runtime.Object, before, after []metav1.Condition) {
	was := apimeta.FindStatusCondition(before, v1alpha1.ConditionEditReverted)
	is := apimeta.FindStatusCondition(after, v1alpha1.ConditionEditReverted)
	if is == nil || was != nil && was.Message == is.Message {
		return
	}
	recorder.Eventf(about, nil, corev1.EventTypeWarning, v1alpha1.ConditionEditReverted, "Apply", "%s", is.Message)
}
