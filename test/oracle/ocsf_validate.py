# Validates OCSF events against the schema of their class. Standard input: [event]. Standard output: for each event what
# is wrong with it, as texts. What JSON Schema does not say is asked here: names beside numbers, and the type's number.
import json
import sys

from jsonschema import Draft202012Validator
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

schemas, validators, out = {}, {}, []


def siblings(value, kind, schema, place):
    """Enumerations tell their number and its name: the two must agree."""
    attributes = kind["attributes"]
    for name, item in value.items():
        about = attributes.get(name, {})
        if about.get("enum") and about.get("sibling") in value:
            caption = about["enum"].get(str(item), {}).get("caption")
            if caption not in (value[about["sibling"]], "Other"):
                yield f"{place}{about['sibling']} is {value[about['sibling']]!r}, but {name} {item} is {caption!r}"
        inner = schema["objects"].get(about.get("object_type"))
        if inner is None or name == "unmapped":
            continue
        for i, each in enumerate(item if isinstance(item, list) else [item]):
            if isinstance(each, dict):
                yield from siblings(each, inner, schema, f"{place}{name}[{i}].")


for event in json.load(sys.stdin):
    version, uid = event["metadata"]["version"], event["class_uid"]
    if version not in schemas:
        schemas[version] = get_ocsf_schema(version)
    schema = schemas[version]
    embedded = OcsfJsonSchemaEmbedded(schema)
    name = embedded.lookup_class_name_from_uid(uid)
    if (version, uid) not in validators:
        validators[version, uid] = Draft202012Validator(embedded.get_class_schema(name))
    problems = [f"{e.json_path}: {e.message[:300]}" for e in validators[version, uid].iter_errors(event)]
    problems += siblings(event, schema["classes"][name], schema, "")
    if event["type_uid"] != uid * 100 + event["activity_id"]:
        problems.append("type_uid is not that of the class and activity")
    out.append(problems)
print(json.dumps(out))
