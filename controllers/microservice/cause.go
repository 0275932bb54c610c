package microservice

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

// A cause is why a pod does not serve. It holds nothing that differs between
// the pods of one version, or between two restarts of one pod: it would make
// the status change for ever.
type cause struct {
	// reason is one of api/v1alpha1, or "" for none.
	reason string
	// container is as people call it: "container app", "init container copy".
	container string
	image     string
	problem   string
	fix       string
	// lasting says that it was seen too often to end by itself.
	lasting bool
}

// manyRestarts of one container are no accident.
const manyRestarts = 4

// severity orders the causes: what must be mended first comes first.
var severity = []string{
	v1alpha1.ReasonImagePullFailed, v1alpha1.ReasonConfigMissing, v1alpha1.ReasonCannotStart, v1alpha1.ReasonOutOfMemory,
	v1alpha1.ReasonCrashing, v1alpha1.ReasonUnschedulable, v1alpha1.ReasonNotReady,
}

// firstCause is the gravest cause of any pod, whatever their order.
func firstCause(pods []corev1.Pod) cause {
	var first cause
	for i := range pods {
		if c := causeOf(&pods[i]); c.reason != "" && (first.reason == "" || before(c, first)) {
			first = c
		}
	}
	return first
}

func before(a, b cause) bool {
	return cmp.Or(
		cmp.Compare(slices.Index(severity, a.reason), slices.Index(severity, b.reason)),
		cmp.Compare(a.container, b.container), cmp.Compare(a.image, b.image),
		cmp.Compare(a.problem, b.problem), cmp.Compare(a.fix, b.fix),
	) < 0
}

// transient says that the cause is also seen for a while in each start that
// goes well.
func (c cause) transient() bool { return c.reason == v1alpha1.ReasonNotReady }

// message names the problem and the fix.
func (c cause) message() string {
	subject := strings.TrimSpace(c.container + " " + c.problem)
	if c.reason == v1alpha1.ReasonImagePullFailed {
		subject = fmt.Sprintf("image pull failed: %s of %s: %s", c.image, c.container, c.problem)
	}
	if c.fix == "" {
		return subject
	}
	return subject + "; " + c.fix
}

// causeOf is why a pod does not serve, and none when it does, or ends, or has
// only just begun.
func causeOf(pod *corev1.Pod) cause {
	if pod.DeletionTimestamp != nil || pod.Status.Phase == corev1.PodFailed || pod.Status.Phase == corev1.PodSucceeded {
		return cause{}
	}
	if c := podCondition(pod, corev1.PodScheduled); c != nil && c.Status == corev1.ConditionFalse {
		return unschedulable(strings.ReplaceAll(c.Message, pod.Name, "<pod>")) // a volume may bear its name
	}
	var first cause
	consider := func(c cause) {
		if c.reason != "" && (first.reason == "" || before(c, first)) {
			first = c
		}
	}
	for _, s := range pod.Status.InitContainerStatuses {
		consider(initCause(s))
	}
	for _, s := range pod.Status.ContainerStatuses {
		if !s.Ready {
			consider(containerCause(s, "container "+s.Name, podCondition(pod, corev1.PodReady)))
		}
	}
	return first
}

// unschedulable leaves out what the scheduler says of preemption: it repeats
// the same for another question.
func unschedulable(message string) cause {
	message, _, _ = strings.Cut(message, " preemption:")
	c := cause{
		reason: v1alpha1.ReasonUnschedulable, problem: "no node takes a pod: " + strings.TrimRight(message, ". "),
		fix: "check the nodes, their taints, and the pod's volumes",
	}
	if strings.Contains(message, "Insufficient") {
		c.fix = "add nodes, or lower resources.requests"
	}
	return c
}

// initCause looks at a container that the main ones wait for.
func initCause(s corev1.ContainerStatus) cause {
	name := "init container " + s.Name
	switch {
	case s.Ready, s.State.Terminated != nil && s.State.Terminated.ExitCode == 0:
		return cause{}
	case s.State.Running != nil && s.LastTerminationState.Terminated == nil:
		return cause{
			reason: v1alpha1.ReasonNotReady, container: name, problem: "is still running",
			fix: "the other containers wait for it: look at its logs",
		}
	default:
		return containerCause(s, name, nil)
	}
}

// containerCause looks at a container that is not ready.
func containerCause(s corev1.ContainerStatus, name string, ready *corev1.PodCondition) cause {
	c := cause{container: name}
	if w := s.State.Waiting; w != nil {
		if known := waiting(s, name); known.reason != "" {
			return known
		}
	}
	c.lasting = s.RestartCount >= manyRestarts
	switch {
	case s.State.Terminated != nil:
		return terminated(c, s.State.Terminated)
	case s.LastTerminationState.Terminated != nil && !wasReadySince(s, ready):
		return terminated(c, s.LastTerminationState.Terminated)
	case s.State.Waiting != nil && s.State.Waiting.Reason == "CrashLoopBackOff":
		c.reason, c.problem = v1alpha1.ReasonCrashing, "crashes again and again"
		c.fix = "look at its logs with kubectl logs --previous"
	case s.State.Running != nil:
		c.lasting = false // it got further than those before
		c.reason, c.problem = v1alpha1.ReasonNotReady, "runs and is not ready"
		c.fix = "look at its logs and its startup and readiness probes"
	case s.State.Waiting != nil && s.State.Waiting.Reason == "ContainerCreating":
		c.reason, c.problem = v1alpha1.ReasonNotReady, "is not created yet"
		c.fix = "its volumes or its node may not be ready: look at the pod's events with kubectl describe"
	}
	return c
}

// wasReadySince says whether the container got ready after its last start, so
// that the end before that start does not explain why it is not ready now.
func wasReadySince(s corev1.ContainerStatus, ready *corev1.PodCondition) bool {
	return s.State.Running != nil && ready != nil && ready.LastTransitionTime.After(s.State.Running.StartedAt.Time)
}

// waiting reads the reasons for which the node does not start a container.
func waiting(s corev1.ContainerStatus, name string) cause {
	message := s.State.Waiting.Message
	c := cause{container: name}
	switch s.State.Waiting.Reason {
	case "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError", "RegistryUnavailable":
		c.reason, c.image = v1alpha1.ReasonImagePullFailed, s.Image
		c.problem, c.fix = pullProblem(s.State.Waiting.Reason, message)
	case "CreateContainerConfigError":
		return configProblem(c, message)
	case "CreateContainerError", "RunContainerError":
		c.reason, c.problem = v1alpha1.ReasonCannotStart, "cannot be started"
		c.fix = startFix
	}
	return c
}

const startFix = "check image, command and args: the pod's events say more, with kubectl describe"

// pullProblems are recognised by what registries and container runtimes say.
// Their own words are not repeated: they hold ports and times.
var pullProblems = []struct {
	says         *regexp.Regexp
	problem, fix string
}{
	{
		regexp.MustCompile(`(?i)toomanyrequests|too many requests|rate limit`),
		"the registry limits the number of pulls", "log in with imagePullSecrets, or use a mirror",
	},
	{
		regexp.MustCompile(`(?i)dial tcp|read tcp|no such host|i/o timeout|connection refused|connection reset|deadline exceeded|tls handshake`),
		"the registry cannot be reached", "check its name and the nodes' network",
	},
	{
		regexp.MustCompile(`(?i)x509|certificate|http response to https`),
		"the nodes do not trust the registry", "give the nodes its certificate",
	},
	{
		regexp.MustCompile(`(?i)unauthorized|authentication required|access denied|denied:|forbidden|no basic auth|insufficient_scope`),
		"the registry refuses access", credentialsFix,
	},
	{
		regexp.MustCompile(`(?i)no match for platform|exec format`),
		"it is not built for the nodes' processors", "build it for them",
	},
	{
		regexp.MustCompile(`(?i)not found|manifest unknown|name unknown|does not exist`),
		"the registry does not have it", "correct the image, or push it",
	},
}

// credentialsFix stands for a fix that names the pull secrets; see withSecrets.
const credentialsFix = "check imagePullSecrets"

var missingPullSecret = regexp.MustCompile(`(?i)image pull secrets? \(([^)]+)\)|secret "([^"]+)" not found`)

func pullProblem(reason, message string) (problem, fix string) {
	switch reason {
	case "InvalidImageName":
		return "this is not the name of an image", "correct the image"
	case "ErrImageNeverPull":
		return "the node does not have it and imagePullPolicy is Never", "load it onto the nodes, or set another imagePullPolicy"
	}
	if found := missingPullSecret.FindStringSubmatch(message); found != nil {
		return fmt.Sprintf("Secret %s is missing", cmp.Or(found[1], found[2])), "create it, or correct imagePullSecrets"
	}
	for _, p := range pullProblems {
		if p.says.MatchString(message) {
			return p.problem, p.fix
		}
	}
	return "the node cannot pull it", "the pod's events say more, with kubectl describe"
}

// withSecrets names the Secrets that a refusing registry was shown.
func (c cause) withSecrets(d *appsv1.Deployment) cause {
	if c.fix != credentialsFix {
		return c
	}
	var names []string
	for _, s := range d.Spec.Template.Spec.ImagePullSecrets {
		names = append(names, s.Name)
	}
	c.fix = "name a Secret with credentials for it in imagePullSecrets"
	if len(names) > 0 {
		c.fix = "check the credentials in Secret " + strings.Join(names, ", ")
	}
	return c
}

var (
	missingObject = regexp.MustCompile(`(?i)\b(secret|configmap) "([^"]+)" not found`)
	missingKey    = regexp.MustCompile(`(?i)couldn't find key "?([^" ]+)"? in (secret|configmap) (?:[^/ ]+/)?([^ ,;]+)`)
	// aboutPod is how the node names a pod, which is another one after a restart.
	aboutPod = regexp.MustCompile(`\s*\(pod: .*\)`)
)

func configProblem(c cause, message string) cause {
	kinds := map[string]string{"secret": "Secret", "configmap": "ConfigMap"}
	if found := missingKey.FindStringSubmatch(message); found != nil {
		kind := kinds[strings.ToLower(found[2])]
		c.reason, c.problem = v1alpha1.ReasonConfigMissing, fmt.Sprintf("needs key %s of %s %s, which has no such key", found[1], kind, found[3])
		c.fix = "add the key, or correct the reference"
		return c
	}
	if found := missingObject.FindStringSubmatch(message); found != nil {
		kind := kinds[strings.ToLower(found[1])]
		c.reason, c.problem = v1alpha1.ReasonConfigMissing, fmt.Sprintf("needs %s %s, which does not exist", kind, found[2])
		c.fix = "create it, or correct the reference"
		return c
	}
	c.reason, c.problem = v1alpha1.ReasonCannotStart, "cannot be created"
	if words := aboutPod.ReplaceAllString(message, ""); words != "" {
		c.problem += ": " + words
	}
	return c
}

// terminated reads how a container that must run has ended.
func terminated(c cause, end *corev1.ContainerStateTerminated) cause {
	const (
		killed = 128 + 9
		asked  = 128 + 15
	)
	c.reason, c.problem = v1alpha1.ReasonCrashing, fmt.Sprintf("ends with exit code %d", end.ExitCode)
	c.fix = "look at its logs with kubectl logs --previous"
	switch {
	case end.Reason == "OOMKilled":
		c.reason, c.problem = v1alpha1.ReasonOutOfMemory, "was killed at its memory limit"
		c.fix = "raise resources.limits.memory, or let it use less"
	case end.Reason == "StartError" || end.Reason == "ContainerCannotRun":
		c.reason, c.problem, c.fix = v1alpha1.ReasonCannotStart, "cannot be started", startFix
	case end.ExitCode == 0:
		c.fix = "a service must keep running: " + c.fix
	case end.ExitCode == killed || end.ExitCode == asked:
		c.problem += ", because it was killed"
		c.fix = "check its startup and liveness probes, and " + c.fix
	}
	return c
}

func podCondition(pod *corev1.Pod, kind corev1.PodConditionType) *corev1.PodCondition {
	for i := range pod.Status.Conditions {
		if pod.Status.Conditions[i].Type == kind {
			return &pod.Status.Conditions[i]
		}
	}
	return nil
}
