package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// at is an event that came and was answered so many milliseconds after the first.
func at(user, verb, object string, came, answered int) event {
	var e event
	resource, name, _ := strings.Cut(object, "/")
	e.User.Username, e.Verb, e.ObjectRef.Namespace, e.ObjectRef.Resource, e.ObjectRef.Name = user, verb, benchNamespace, resource, name
	e.RequestReceivedTimestamp = time.UnixMilli(int64(came))
	e.StageTimestamp = time.UnixMilli(int64(answered))
	e.ResponseStatus.Code = 200
	return e
}

func TestBirthsEndWithTheLastObject(t *testing.T) {
	status := at(operatorUser, "patch", "microservices/b2n0001-gateway", 400, 500)
	status.ObjectRef.Subresource = "status"
	refused := at(operatorUser, "patch", "services/b2n0001-gateway", 5, 6)
	refused.ResponseStatus.Code = 409
	events := []event{
		at(peopleUser, "create", "streamingplatforms/b2n0000", 0, 10),
		at(peopleUser, "create", "streamingplatforms/b2n0001", 2, 12),
		at(operatorUser, "get", "services/b2n0001-gateway", 3, 4),
		refused, status,
		at(operatorUser, "patch", "services/b2n0000-gateway", 20, 30),
		at(operatorUser, "patch", "services/b2n0000-gateway", 30, 32), // the same again
		at(operatorUser, "patch", "services/b2n0001-gateway", 40, 102),
	}
	b := newBirths(2)
	for i, e := range events {
		if done := b.see(e); done != (i == len(events)-1) {
			t.Errorf("event %d: done is %t", i, done)
		}
	}
	want := creation{
		Platforms: 2, Seconds: 0.102, LastChild: percentiles{Samples: 2, P50: 32, P99: 100, Max: 100},
		Requests: requests{Writes: 5, Reads: 1},
	}
	if diff := cmp.Diff(want, b.creation(2, count(events))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestDistribution(t *testing.T) {
	var all []time.Duration
	for i := 200; i > 0; i-- {
		all = append(all, time.Duration(i)*time.Millisecond)
	}
	if diff := cmp.Diff(percentiles{Samples: 200, P50: 100, P99: 198, Max: 200}, distribution(all)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := distribution(all[:1]); got.P50 != got.Max {
		t.Errorf("one sample gives %+v", got)
	}
}

func TestLogIsReadWhileItGrows(t *testing.T) {
	name := filepath.Join(t.TempDir(), "audit.log")
	line, err := json.Marshal(at(operatorUser, "patch", "services/a", 1, 2))
	if err != nil {
		t.Fatal(err)
	}
	writer, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	reader, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	log := follow(t.Context(), reader)
	for _, part := range []string{string(line) + "\n" + string(line[:20]), string(line[20:]) + "\n"} {
		if _, err := io.WriteString(writer, part); err != nil {
			t.Fatal(err)
		}
	}
	n := 0
	err = log.await(t.Context(), 0, func(e event) bool {
		if e.ObjectRef.Name != "a" {
			t.Errorf("read %+v", e)
		}
		n++
		return n == 2
	})
	if err != nil {
		t.Error(err)
	}
}

func TestAnObjectOfTheModelBecomesOneOfTheLoop(t *testing.T) {
	a := applied{name: modelName + "-gateway", body: json.RawMessage(
		`{"metadata":{"name":"modelplatform-gateway","namespace":"model"},"spec":{"url":"http://modelplatform-streaming-headless.model.svc:8080"}}`)}
	name, body := a.of("l1n0000")
	if want := []byte(`{"metadata":{"name":"l1n0000-gateway","namespace":"loop"},"spec":{"url":"http://l1n0000-streaming-headless.model.svc:8080"}}`); name != "l1n0000-gateway" || !bytes.Equal(body, want) {
		t.Errorf("%s %s", name, body)
	}
}

func TestParse(t *testing.T) {
	s, err := parse([]string{"--sizes=1,20", "--idle=10s"}, io.Discard)
	if err != nil || !cmp.Equal(s.sizes, []int{1, 20}) || s.idle != 10*time.Second {
		t.Errorf("%+v, %v", s, err)
	}
	for arg, want := range map[string]string{"--sizes=0": "1 to 5000", "--samples=0": "1 or more", "x": "only flags"} {
		if _, err := parse([]string{arg}, io.Discard); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s gives %v", arg, err)
		}
	}
}
