package apply

import (
	"encoding/json"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Owners are the managers that own a field of a specification, such as
// replicas, in the order in which the object names them.
func Owners(o metav1.Object, field string) []string {
	var all []string
	for _, e := range o.GetManagedFields() {
		var fields struct {
			Spec map[string]json.RawMessage `json:"f:spec"`
		}
		if e.FieldsV1 == nil || json.Unmarshal(e.FieldsV1.GetRawBytes(), &fields) != nil {
			continue
		}
		if _, owned := fields.Spec["f:"+field]; owned && !slices.Contains(all, e.Manager) {
			all = append(all, e.Manager)
		}
	}
	return all
}

// Outsiders are the owners of a field that are no part of the operator.
func Outsiders(o metav1.Object, field string) []string {
	return slices.DeleteFunc(Owners(o, field), func(manager string) bool { return strings.HasPrefix(manager, FieldManager) })
}
