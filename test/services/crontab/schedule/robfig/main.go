// Fire times as github.com/robfig/cron/v3 finds them: questions on stdin, answers on stdout, one JSON value a line.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"time"
	// For machines that have no zoneinfo files.
	_ "time/tzdata"

	"github.com/robfig/cron/v3"
)

type question struct {
	Spec string `json:"spec"`
	// Unix seconds: the first of them begins a chain, in which each time is asked for after the one before it.
	From  []int64 `json:"from"`
	Chain int     `json:"chain"`
}

// Seconds first, the weekday may be left out.
var parser = cron.NewParser(
	cron.Second | cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.DowOptional | cron.Descriptor)

func main() {
	input := bufio.NewScanner(os.Stdin)
	input.Buffer(nil, 1<<20)
	output := bufio.NewWriter(os.Stdout)
	for input.Scan() {
		var asked question
		if err := json.Unmarshal(input.Bytes(), &asked); err != nil {
			fail(err)
		}
		line, err := json.Marshal(answer(asked))
		if err != nil {
			fail(err)
		}
		output.Write(append(line, '\n'))
	}
	if err := input.Err(); err != nil {
		fail(err)
	}
	if err := output.Flush(); err != nil {
		fail(err)
	}
}

// The times of the chain, then those after the other starts, in Unix seconds and 0 for none; null for a bad spec.
func answer(asked question) (times []int64) {
	// TZ= without a blank behind it makes the parser panic.
	defer func() {
		if recover() != nil {
			times = nil
		}
	}()
	schedule, err := parser.Parse(asked.Spec)
	if err != nil {
		return nil
	}
	times = []int64{}
	for index, from := range asked.From {
		at := time.Unix(from, 0).UTC()
		count := 1
		if index == 0 {
			count = asked.Chain
		}
		for ; count > 0; count-- {
			next := schedule.Next(at)
			if next.IsZero() {
				times = append(times, 0)
				continue
			}
			times = append(times, next.Unix())
			at = next
		}
	}
	return times
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
