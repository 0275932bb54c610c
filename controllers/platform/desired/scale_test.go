package desired

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

func TestKeepScale(t *testing.T) {
	const external, fixed = "{replicas: 3, autoscaling: {mode: External}}", "{replicas: 4}"
	cases := map[string]struct {
		// live is empty when the Microservice does not exist.
		live, wanted string
		// owners of its number.
		owners []string
		want   string // number, resource version, whether it must be seeded
	}{
		"new":                             {"", external, nil, "3  false"},
		"becomes External":                {fixed, external, []string{"streamplane"}, "3 7 false"},
		"is not yet anybody else's":       {strings.Replace(external, "3", "9", 1), external, []string{"streamplane"}, "9 7 true"},
		"was seeded":                      {external, external, []string{"streamplane", "streamplane-scale"}, "none  false"},
		"was scaled":                      {external, external, []string{"kube-controller-manager"}, "none  false"},
		"no longer External":              {external, fixed, []string{"kube-controller-manager"}, "4  false"},
		"fixed, and edited by somebody":   {fixed, fixed, []string{"kubectl"}, "4  false"},
		"fixed, and co-owned by somebody": {fixed, fixed, []string{"streamplane", "kubectl"}, "4  false"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			wanted := &v1alpha1.Microservice{ObjectMeta: metav1.ObjectMeta{Name: "acme-a"}}
			decode(t, tc.wanted, &wanted.Spec.WorkloadSpec)
			live := map[string]v1alpha1.Microservice{}
			if tc.live != "" {
				m := v1alpha1.Microservice{ObjectMeta: metav1.ObjectMeta{Name: "acme-a", ResourceVersion: "7"}}
				decode(t, tc.live, &m.Spec.WorkloadSpec)
				for _, owner := range tc.owners {
					m.ManagedFields = append(m.ManagedFields, metav1.ManagedFieldsEntry{
						Manager: owner, FieldsV1: metav1.NewFieldsV1(`{"f:spec":{"f:replicas":{}}}`),
					})
				}
				live["acme-a"] = m
			}
			unseeded := Platform{Services: []Service{{Name: "a", Microservice: wanted}}}.KeepScale(live)
			number := "none"
			if r := wanted.Spec.Replicas; r != nil {
				number = fmt.Sprint(*r)
			}
			got := fmt.Sprintf("%s %s %t", number, wanted.ResourceVersion, len(unseeded) > 0)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
