package membership

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

func TestFirst(t *testing.T) {
	made := func(name, service string, born int64) v1alpha1.Microservice {
		m := v1alpha1.Microservice{ObjectMeta: metav1.ObjectMeta{Name: name, CreationTimestamp: metav1.Unix(born, 0)}}
		m.Spec.ServiceName = service
		return m
	}
	listed := func(m v1alpha1.Microservice) v1alpha1.Microservice {
		m.OwnerReferences = []metav1.OwnerReference{{Kind: "StreamingPlatform", Controller: new(true)}}
		return m
	}
	cases := map[string]struct {
		all  []v1alpha1.Microservice
		want string
	}{
		"none":                    {nil, ""},
		"another name":            {[]v1alpha1.Microservice{made("b", "b", 1)}, ""},
		"its own name":            {[]v1alpha1.Microservice{made("a", "", 1)}, "a"},
		"the oldest":              {[]v1alpha1.Microservice{made("x", "a", 2), made("y", "a", 1)}, "y"},
		"equally old: by name":    {[]v1alpha1.Microservice{made("y", "a", 1), made("x", "a", 1)}, "x"},
		"a listed one is younger": {[]v1alpha1.Microservice{made("x", "a", 1), listed(made("y", "a", 2))}, "y"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			for range 2 { // whatever the order
				got := ""
				if m := First(tc.all, "a"); m != nil {
					got = m.Name
				}
				if got != tc.want {
					t.Errorf("%q, want %q", got, tc.want)
				}
				if len(tc.all) == 2 {
					tc.all[0], tc.all[1] = tc.all[1], tc.all[0]
				}
			}
		})
	}
}
