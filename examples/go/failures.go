// Prints what failed, a line each, from hookscope's NDJSON on standard input.
//
//	hookscope --format ndjson webhooks.pcap | go run . ../../docs/events.schema.json
//	hookscope live --format ndjson | go run . ../../docs/events.schema.json
//
// Every line of a type that is known is held against the JSON Schema for the fields that it requires. Exit status: 0 nothing failed, 1 something
// did, 2 a line is not as it should be.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
)

// Verdict has the fields that are used here; encoding/json passes over the others, and those of later versions.
type Verdict struct {
	Code     string `json:"code"`
	Severity string `json:"severity"`
	Summary  string `json:"summary"`
}

// Line is a connection or a lookup. What may be null is a pointer.
type Line struct {
	Type       string  `json:"type"`
	Server     string  `json:"server"`
	ServerName *string `json:"server_name"`
	Name       string  `json:"name"`  // of a lookup
	Start      string  `json:"start"` // of a connection
	At         string  `json:"at"`    // live: when it was known
	// Live: the call that this is about; null where it is about the connection.
	AboutCall *int    `json:"about_call"`
	Verdict   Verdict `json:"verdict"`
	Calls     []struct {
		Index   int     `json:"index"`
		Verdict Verdict `json:"verdict"`
	} `json:"calls"`
}

// Required are the fields that a line of each type has to have.
type Required map[string][]string

func readSchema(path string) (Required, error) {
	var schema struct {
		OneOf []struct {
			Ref        string   `json:"$ref"`
			Required   []string `json:"required"`
			Properties struct {
				Type struct {
					Const string `json:"const"`
				} `json:"type"`
			} `json:"properties"`
		} `json:"oneOf"`
		Defs map[string]struct {
			Required []string `json:"required"`
		} `json:"$defs"`
	}
	text, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(text, &schema)
	}
	required := Required{}
	for _, line := range schema.OneOf {
		def := schema.Defs[strings.TrimPrefix(line.Ref, "#/$defs/")]
		required[line.Properties.Type.Const] = append(line.Required, def.Required...)
	}
	return required, err
}

// check reads a line that has all that its type requires. Of totals it reads the type alone.
func (required Required) check(text []byte) (line Line, err error) {
	fields := map[string]json.RawMessage{}
	if err = json.Unmarshal(text, &fields); err != nil {
		return line, err
	}
	if err = json.Unmarshal(fields["type"], &line.Type); err != nil {
		return line, fmt.Errorf("a line without a type: %w", err)
	}
	names, known := required[line.Type]
	if !known {
		return line, nil // of a later version
	}
	for _, name := range names {
		if _, has := fields[name]; !has {
			return line, fmt.Errorf("a line of type %q without %q", line.Type, name)
		}
	}
	if line.Type == "connection" || line.Type == "lookup" {
		err = json.Unmarshal(text, &line)
	}
	return line, err
}

// failure gives the columns to print, if the line tells of a failure.
func (line Line) failure() (columns []string, failed bool) {
	verdict, who, when := line.Verdict, line.Name, line.At
	if line.Type == "connection" {
		if who = line.Server; line.ServerName != nil {
			who = *line.ServerName
		}
		if when == "" {
			when = line.Start
		}
		for _, call := range line.Calls {
			if line.AboutCall != nil && *line.AboutCall == call.Index {
				verdict = call.Verdict
			}
		}
	}
	// Totals have no verdict, nor have types of a later version one that is read here.
	return []string{when, verdict.Code, who, verdict.Summary}, verdict.Severity == "failure"
}

func run(schema string, in io.Reader, out io.Writer) (status int, err error) {
	required, err := readSchema(schema)
	if err != nil {
		return 2, err
	}
	reader := bufio.NewReader(in) // not bufio.Scanner: a connection of many calls is a long line
	for number := 1; ; number++ {
		text, err := reader.ReadBytes('\n')
		if err == io.EOF && len(text) == 0 {
			return status, nil
		} else if err != nil && err != io.EOF {
			return 2, err
		}
		line, err := required.check(text)
		if err != nil {
			return 2, fmt.Errorf("line %d: %w", number, err)
		}
		if columns, failed := line.failure(); failed {
			status = 1
			fmt.Fprintln(out, strings.Join(columns, "\t"))
		}
	}
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: failures SCHEMA <NDJSON")
		os.Exit(2)
	}
	status, err := run(os.Args[1], os.Stdin, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(status)
}
