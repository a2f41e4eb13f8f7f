// Stock holds what is left: one gRPC operation and a health check, on one port, with the standard library
// alone. Its contract is contracts/proto/ordering/stock/v1/stock.proto.
package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

const (
	address    = ":9000"
	perProduct = 100
	keepFor    = 15 * time.Minute
	finishIn   = 20 * time.Second
)

func main() {
	slog.SetDefault(slog.New(slog.NewJSONHandler(os.Stdout, nil)))
	if err := serve(); err != nil {
		slog.Error("stopped", "error", err)
		os.Exit(1)
	}
}

func serve() error {
	// gRPC comes as HTTP/2 without TLS, the health check as HTTP/1.1.
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	server := &http.Server{
		Addr:              address,
		Handler:           routes(newShelf(perProduct, keepFor, time.Now)),
		Protocols:         protocols,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
	}
	ended, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	failed := make(chan error, 1)
	go func() { failed <- server.ListenAndServe() }()
	slog.Info("started", "address", address)
	select {
	case err := <-failed:
		return err
	case <-ended.Done():
	}
	finish, cancel := context.WithTimeout(context.Background(), finishIn)
	defer cancel()
	if err := server.Shutdown(finish); err != nil && !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	slog.Info("ended")
	return nil
}
