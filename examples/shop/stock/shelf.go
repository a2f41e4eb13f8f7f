package main

import (
	"crypto/rand"
	"fmt"
	"sync"
	"time"
)

// A shelf counts what is left of each product. What is reserved and not fetched in time goes back.
type shelf struct {
	mutex    sync.Mutex
	now      func() time.Time
	keep     time.Duration
	first    int64
	left     map[string]int64
	reserved []reservation // the oldest first
}

type reservation struct {
	id       string
	product  string
	quantity int64
	until    time.Time
}

func newShelf(first int64, keep time.Duration, now func() time.Time) *shelf {
	return &shelf{now: now, keep: keep, first: first, left: map[string]int64{}}
}

// reserve sets some of a product aside; false if there is not enough.
func (s *shelf) reserve(product string, quantity int64) (reservation, bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	now := s.now()
	s.giveBack(now)
	left, known := s.left[product]
	if !known {
		left = s.first
	}
	if quantity > left {
		return reservation{}, false
	}
	s.left[product] = left - quantity
	made := reservation{newID(), product, quantity, now.Add(s.keep)}
	s.reserved = append(s.reserved, made)
	return made, true
}

// reservations is how many there are now.
func (s *shelf) reservations() int {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.giveBack(s.now())
	return len(s.reserved)
}

func (s *shelf) giveBack(now time.Time) {
	for len(s.reserved) > 0 && s.reserved[0].until.Before(now) {
		s.left[s.reserved[0].product] += s.reserved[0].quantity
		s.reserved = s.reserved[1:]
	}
}

// newID is a random UUID (RFC 9562, version 4).
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: it ends the program instead
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:16])
}
