package requestlog

import (
	"io"
	"net/http"
	"strconv"
)

// Answered notes in a record what goes through a response writer.
type Answered struct {
	http.ResponseWriter
	record *Record
}

// Answer returns w, with what is written to it noted in record.
func Answer(w http.ResponseWriter, record *Record) *Answered {
	return &Answered{ResponseWriter: w, record: record}
}

// WriteHeader notes the final status; 1xx answers only announce one.
func (a *Answered) WriteHeader(status int) {
	if a.record.Status == 0 && status >= http.StatusOK {
		a.record.Status = status
		// A date is for who set it to say in seconds.
		if seconds, err := strconv.Atoi(a.Header().Get("Retry-After")); err == nil {
			a.record.RetryAfterS = seconds
		}
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *Answered) Write(p []byte) (int, error) {
	if a.record.Status == 0 {
		a.WriteHeader(http.StatusOK)
	}
	n, err := a.ResponseWriter.Write(p)
	a.record.Bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (a *Answered) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// Counted notes in a record how much of a request's body was read.
type Counted struct {
	io.ReadCloser
	record *Record
}

// Count returns body, with what is read from it noted in record.
func Count(body io.ReadCloser, record *Record) *Counted {
	return &Counted{ReadCloser: body, record: record}
}

func (c *Counted) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.record.RequestBytes += int64(n)
	return n, err
}
