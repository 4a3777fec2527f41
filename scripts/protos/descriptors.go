// Prints every field of the messages that the imported packages register:
// {"envoy.config.rbac.v3.RBAC": {"action": [1, "enum", "optional", "envoy.config.rbac.v3.RBAC.Action"], ...}, ...}
package main

import (
	"encoding/json"
	"os"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	// IMPORTS
)

var messages = map[string]map[string][]any{}

func visit(list protoreflect.MessageDescriptors) {
	for i := 0; i < list.Len(); i++ {
		message := list.Get(i)
		fields := map[string][]any{}
		for j := 0; j < message.Fields().Len(); j++ {
			field := message.Fields().Get(j)
			fields[string(field.Name())] = []any{
				int(field.Number()), field.Kind().String(), field.Cardinality().String(), typeOf(field),
			}
		}
		messages[string(message.FullName())] = fields
		visit(message.Messages())
	}
}

func typeOf(field protoreflect.FieldDescriptor) string {
	switch {
	case field.IsMap():
		return "map"
	case field.Message() != nil:
		return string(field.Message().FullName())
	case field.Enum() != nil:
		return string(field.Enum().FullName())
	}
	return ""
}

func main() {
	protoregistry.GlobalFiles.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		visit(file.Messages())
		return true
	})
	if err := json.NewEncoder(os.Stdout).Encode(messages); err != nil {
		panic(err)
	}
}
