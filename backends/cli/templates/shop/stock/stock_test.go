package main

import (
	"bytes"
	"encoding/binary"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestReservedGoodsGoBack(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	s := newShelf(10, time.Minute, func() time.Time { return now })
	if _, enough := s.reserve("a", 7); !enough {
		t.Fatal("7 of 10 are refused")
	}
	if _, enough := s.reserve("a", 4); enough {
		t.Fatal("4 of 3 are given")
	}
	now = now.Add(2 * time.Minute)
	if _, enough := s.reserve("a", 10); !enough {
		t.Fatal("nothing went back")
	}
}

func TestMeasurements(t *testing.T) {
	s := newShelf(10, time.Minute, time.Now)
	s.reserve("a", 1)
	s.reserve("b", 2)
	server := httptest.NewServer(routes(s))
	defer server.Close()
	answer, err := http.Get(server.URL + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text := new(bytes.Buffer)
	_, _ = text.ReadFrom(answer.Body)
	if !strings.Contains(text.String(), "\nstock_reservations 2\n") {
		t.Errorf("measurements are %q", text)
	}
}

func framed(message []byte) *bytes.Reader {
	return bytes.NewReader(append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(message))), message...))
}

func asked(t *testing.T, path string, body *bytes.Reader) *http.Response {
	t.Helper()
	server := httptest.NewServer(routes(newShelf(10, time.Minute, time.Now)))
	t.Cleanup(server.Close)
	answer, err := http.Post(server.URL+path, "application/grpc", body)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = answer.Body.Close() })
	return answer
}

func status(t *testing.T, path string, body *bytes.Reader) string {
	t.Helper()
	answer := asked(t, path, body)
	_, _ = new(bytes.Buffer).ReadFrom(answer.Body)
	return answer.Trailer.Get("grpc-status")
}

func TestAnswers(t *testing.T) {
	const path = "/ordering.stock.v1.StockService/Reserve"
	request := append([]byte{1<<3 | 2, 1}, 'a', 2<<3, 3)
	for name, one := range map[string]struct {
		path, want string
		body       *bytes.Reader
	}{
		"good":     {path, "0", framed(request)},
		"too many": {path, "9", framed([]byte{1<<3 | 2, 1, 'a', 2 << 3, 11})},
		"none":     {path, "3", framed(request[:3])},
		"cut":      {path, "3", framed(request[:2])},
		"empty":    {path, "3", bytes.NewReader(nil)},
		"unknown":  {"/ordering.stock.v1.StockService/Other", "12", framed(request)},
	} {
		if got := status(t, one.path, one.body); got != one.want {
			t.Errorf("%s: status %s instead of %s", name, got, one.want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte{1<<3 | 2, 1, 'a', 2 << 3, 3})
	f.Fuzz(func(_ *testing.T, message []byte) { _, _, _ = decode(message) })
}
