package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
)

// Codes of gRPC.
const (
	statusOK                 = 0
	statusInvalidArgument    = 3
	statusFailedPrecondition = 9
	statusUnimplemented      = 12
)

const (
	messageMax  = 64 << 10
	quantityMax = 99
)

func routes(s *shelf) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("content-type", "text/plain; version=0.0.4")
		_, _ = fmt.Fprintf(w, "# TYPE stock_reservations gauge\nstock_reservations %d\n", s.reservations())
	})
	mux.HandleFunc("POST /ordering.stock.v1.StockService/Reserve", func(w http.ResponseWriter, r *http.Request) {
		answer, code, message := reserveFor(s, r)
		reply(w, answer, code, message)
		slog.Info("Reserve", "code", code, "traceparent", r.Header.Get("traceparent"))
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.Header.Get("content-type"), "application/grpc") {
			reply(w, nil, statusUnimplemented, "there is no such operation")
			return
		}
		http.NotFound(w, r)
	})
	return mux
}

func reserveFor(s *shelf, r *http.Request) (answer []byte, code int, message string) {
	product, quantity, err := readRequest(r.Body)
	if err != nil || product == "" || quantity < 1 || quantity > quantityMax {
		return nil, statusInvalidArgument, "name a product and a quantity from 1 to 99"
	}
	made, enough := s.reserve(product, quantity)
	if !enough {
		return nil, statusFailedPrecondition, "there is not enough left"
	}
	// ReserveResponse { string id = 1; google.protobuf.Timestamp until = 2 { int64 seconds = 1 } }
	until := binary.AppendUvarint([]byte{1 << 3}, uint64(made.until.Unix()))
	answer = append([]byte{1<<3 | 2, byte(len(made.id))}, made.id...)
	answer = append(answer, 2<<3|2, byte(len(until)))
	return append(answer, until...), statusOK, ""
}

// readRequest reads one uncompressed message: ReserveRequest { string product = 1; int64 quantity = 2 }.
func readRequest(body io.Reader) (product string, quantity int64, err error) {
	var head [5]byte
	if _, err = io.ReadFull(body, head[:]); err != nil {
		return "", 0, err
	}
	length := binary.BigEndian.Uint32(head[1:])
	if head[0] != 0 || length > messageMax {
		return "", 0, errors.New("compressed or too long")
	}
	message := make([]byte, length)
	if _, err = io.ReadFull(body, message); err != nil {
		return "", 0, err
	}
	return decode(message)
}

func decode(message []byte) (product string, quantity int64, err error) {
	for len(message) > 0 {
		tag, n := binary.Uvarint(message)
		if n <= 0 {
			return "", 0, io.ErrUnexpectedEOF
		}
		message = message[n:]
		value, n := binary.Uvarint(message)
		if n <= 0 {
			return "", 0, io.ErrUnexpectedEOF
		}
		message = message[n:]
		switch tag & 7 {
		case 0: // a number
			if tag>>3 == 2 {
				quantity = int64(value)
			}
		case 2: // a text
			if value > uint64(len(message)) {
				return "", 0, io.ErrUnexpectedEOF
			}
			if tag>>3 == 1 {
				product = string(message[:value])
			}
			message = message[value:]
		default:
			return "", 0, errors.New("a field of an unknown kind")
		}
	}
	return product, quantity, nil
}

func reply(w http.ResponseWriter, answer []byte, code int, message string) {
	header := w.Header()
	header.Set("content-type", "application/grpc")
	header.Set("trailer", "grpc-status, grpc-message")
	if code == statusOK {
		framed := binary.BigEndian.AppendUint32([]byte{0}, uint32(len(answer)))
		_, _ = w.Write(append(framed, answer...))
	}
	header.Set("grpc-status", strconv.Itoa(code))
	header.Set("grpc-message", message)
}
